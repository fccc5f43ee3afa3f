// What `stead why` answers: an object, the chain from it to the root cause, and what else is to be known; as a value
// (for -o json) and as text that fits on one screen, the root cause last.

import {
  type Cause,
  isWaiting,
  partyName,
  rootCause,
  sentenceOf,
  type Waiting,
} from '../api/between/waiting.ts';
import { isReady } from '../api/conditions.ts';
import { parentOf, podName } from '../controllers/statefulset/identity.ts';
import { wantedOrdinals } from '../controllers/statefulset/ordinals.ts';
import { explainClaim } from './claim.ts';
import type { Evidence } from './evidence.ts';
import { explainPod, podNotes } from './pod.ts';
import { explainSet, setNotes } from './set.ts';

export type Kind = 'statefulset' | 'pod' | 'persistentvolumeclaim';

export interface Story {
  /** `statefulset default/web` */
  object: string;
  /** How it is, in a few words. */
  state: string;
  waits: boolean;
  /** The root cause's; empty if it waits for nothing. */
  reason: string;
  message: string;
  /** A line a link, the root cause last. */
  chain: string[];
  /** What helps to do something about the root cause. */
  details: string[];
  notes: string[];
}

/** Undefined if there is no such object, and none that its set would make. */
export function storyOf(kind: Kind, name: string, evidence: Evidence): Story | undefined {
  const object = `${kind} ${evidence.namespace}/${name}`;
  if (kind === 'statefulset') {
    const set = evidence.set(name);
    if (!set) return undefined;
    const [ready, wanted] = [set.status?.readyReplicas ?? 0, set.spec.replicas ?? 1];
    const state = `${ready} of ${wanted} pods are ready`;
    return story(object, state, explainSet(set, evidence), setNotes(set, evidence));
  }
  if (kind === 'pod') {
    const pod = evidence.pod(name);
    if (!pod) return missingPod(object, name, evidence);
    const { nodeName } = pod.spec;
    const phase = pod.metadata.deletionTimestamp ? 'Terminating' : (pod.status?.phase ?? 'Pending');
    const where = nodeName ? ` on ${nodeName}` : '';
    const state =
      isReady(pod) && phase === 'Running'
        ? `it is ready at ${pod.status?.podIP}${where}`
        : `${phase}${where}`;
    return story(object, state, explainPod(pod, evidence), podNotes(pod, evidence));
  }
  const claim = evidence.claim(name);
  if (!claim) return undefined;
  const { phase = 'Pending' } = claim.status ?? {};
  const state = phase === 'Bound' ? `it is bound to ${claim.spec.volumeName}` : phase;
  return story(object, state, followed(explainClaim(claim, evidence), evidence), []);
}

/** A claim may wait for a pod, which has reasons of its own. */
function followed(because: Cause | Waiting | undefined, evidence: Evidence): Cause | Waiting | undefined {
  if (!because || !isWaiting(because) || because.for.kind !== 'Pod') return because;
  const pod = evidence.pod(because.for.name);
  const deeper = pod && explainPod(pod, evidence);
  return deeper ? { ...because, because: deeper } : because;
}

/** A pod that is not there is explained by the set that is to make it. */
function missingPod(object: string, name: string, evidence: Evidence): Story | undefined {
  const parent = parentOf(name);
  const set = parent && evidence.set(parent.set);
  if (!set) return undefined;
  const state = 'it is not there';
  const wanted = wantedOrdinals(set).map((ordinal) => podName(set, ordinal));
  if (!wanted.includes(name)) {
    const which = wanted.length > 0 ? `${wanted[0]} to ${wanted.at(-1)}` : 'none';
    const message = `StatefulSet ${set.metadata.name} wants ${wanted.length} pods: ${which}`;
    return story(object, state, { reason: 'NotWanted', message, passing: false }, []);
  }
  const making = { reason: 'PodCreating', message: 'it is being created', passing: true };
  return story(object, state, explainSet(set, evidence) ?? making, []);
}

function story(object: string, state: string, because: Cause | Waiting | undefined, notes: string[]): Story {
  if (!because)
    return { object, state, waits: false, reason: '', message: state, chain: [], details: [], notes };
  const { details = [], reason } = rootCause(because);
  const message = sentenceOf(because);
  return {
    object,
    state,
    waits: true,
    reason,
    message,
    chain: chainOf(because),
    details: [...details],
    notes,
  };
}

const ACTS = { creation: 'is not there', deletion: 'is not gone', update: 'is not updated' } as const;

function chainOf(because: Cause | Waiting): string[] {
  const lines: string[] = [];
  let link = because;
  let before: string | undefined;
  while (isWaiting(link)) {
    const who = partyName(link.who);
    const held = link.act ? `${who} ${ACTS[link.act]}: it` : who;
    lines.push(`${who === before ? 'which' : held} waits for ${partyName(link.for)} to be ${link.tobe}`);
    before = partyName(link.for);
    link = link.because;
  }
  lines.push(`${link.message} (${link.reason})`);
  return lines;
}

const INDENT = '  ';

/** The story as lines of text. */
export function linesOf({ chain, details, notes, object, state }: Story): string[] {
  const depth = Math.max(0, chain.length - 1);
  return [
    `${object}: ${state}`,
    ...notes.map((note) => `${INDENT}note: ${note}`),
    ...chain.map((line, index) => `${INDENT.repeat(index + 1)}${index === depth ? 'because: ' : ''}${line}`),
    ...details.map((line) => `${INDENT.repeat(depth + 2)}${line}`),
  ];
}
