// Why something does not go on: who waits for whom to become what, and what stands in the way, as a value. The
// conditions, the events, `stead why` and the dashboard all print this one value; none of them looks for a reason
// in a log. Finding the reason is not here: each controller has its own, and api/why/ holds those that are shared.

import type { KubeObject } from '../objects.ts';

/** Names the object that a link of the chain is about. */
export interface Party {
  /** As in manifests: `Pod`, `PersistentVolumeClaim`, `StatefulSet`, `Node`. */
  kind: string;
  name: string;
  namespace?: string | undefined;
}

/** The object as a link of the chain names it. */
export function partyOf(kind: string, { metadata: { name = '', namespace } }: KubeObject): Party {
  return { kind, name, namespace };
}

/** What stands in the way, where the chain ends. */
export interface Cause {
  /** One word in CamelCase that fits a condition's reason: `ImagePullBackOff`, `Unschedulable`. */
  reason: string;
  /** A clause without a full stop; it holds nothing that changes by itself (no ages, no countdowns). */
  message: string;
  /** Whether it usually passes by itself within moments: a container being created, a pod coming to its end. */
  passing: boolean;
  /** What helps whoever has to do something about it, a line each; only where somebody asks, never in conditions. */
  details?: readonly string[];
}

/** One link of the chain. */
export interface Waiting {
  who: Party;
  /** What the waiting one is held from. Left out: it only wants to be complete. */
  act?: 'creation' | 'deletion' | 'update';
  /** Whom it waits for. */
  for: Party;
  /** What that one has to be. */
  tobe: 'Ready' | 'Available' | 'Bound' | 'gone' | 'created' | 'expanded' | 'placed';
  /** Why it is not yet. */
  because: Cause | Waiting;
}

/** Whether the chain goes on here. */
export function isWaiting(because: Cause | Waiting): because is Waiting {
  return 'because' in because;
}

/** The end of the chain. */
export function rootCause(because: Cause | Waiting): Cause {
  let link = because;
  while (isWaiting(link)) link = link.because;
  return link;
}

const KIND_WORDS: Record<string, string> = {
  Pod: '',
  StatefulSet: '',
  PersistentVolumeClaim: 'claim ',
  PersistentVolume: 'volume ',
  Node: 'node ',
};

/** How a sentence names an object: pods and sets by name alone, the rest with their kind. */
export function partyName(party: Party): string {
  return `${KIND_WORDS[party.kind] ?? `${party.kind} `}${party.name}`;
}

/**
 * The chain as one sentence without a full stop: `web-2 waits for web-1 to be Ready: web-1 waits for claim www-web-1
 * to be Bound: no node has 200Gi free`.
 */
export function sentenceOf(because: Cause | Waiting): string {
  if (!isWaiting(because)) return because.message;
  const held = because.act === 'deletion' || because.act === 'update' ? `${because.act} of ` : '';
  const who = `${held}${partyName(because.who)}`;
  return `${who} waits for ${partyName(because.for)} to be ${because.tobe}: ${sentenceOf(because.because)}`;
}
