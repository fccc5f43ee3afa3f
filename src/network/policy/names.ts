// What the chains, sets and maps of policies are called in the table. How they are used is in frame.ts and rules.ts; what is in
// them, in book.ts.
import { createHash } from 'node:crypto';
import type { Family } from '../proxy/family.ts';
import type { Direction, PodPeer } from './policy.ts';

/** Address of a pod → whether all may pass in that direction, or the chain that says what may. */
export const verdictMap = (direction: Direction, { suffix }: Family): string => `pod-${direction}${suffix}`;
/** Addresses of pods, twice: what a pod sends to itself is nobody else's business. */
export const selfSet = ({ suffix }: Family): string => `pod-self${suffix}`;
/** The addresses of the pods that a peer selects. */
export const peerSet = ({ key }: PodPeer, { suffix }: Family): string => `peers${suffix}/${digest(key)}`;
/** Address and number of the ports of that name, of all pods. */
export const namedPortSet = (protocol: string, name: string, { suffix }: Family): string =>
  `port${suffix}/${protocol}/${name}`;

/** The chain of all that one policy allows. */
export function policyChain(direction: Direction, namespace: string, name: string): string {
  const chain = `${direction}-policy/${namespace}/${name}`;
  // The kernel has room for 255 characters; no policy has a slash in its name.
  return chain.length <= 200 ? chain : `${chain.slice(0, 150)}/${digest(name)}`;
}

/** The chain of pods that the same policies are about. */
export const podsChain = (direction: Direction, namespace: string, policies: readonly string[]): string =>
  `${direction}-pods/${namespace}/${digest(policies.join('/'))}`;

/** Long enough that nobody finds another text with the same, who would make his peers another's. */
const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24);
