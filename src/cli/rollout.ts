// Follows what was applied until it is ready, and says what happens meanwhile: a line whenever a pod comes, goes,
// or waits for something else than before.

import { sentenceOf } from '../api/between/waiting.ts';
import type { Pod, StatefulSet } from '../api/generated/types.ts';
import { controllerOf, isTerminating, type Stored } from '../api/objects.ts';
import { persistentVolumeClaims } from '../api/resources/persistent-volume-claims/definition.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { statefulSets } from '../api/resources/stateful-sets/definition.ts';
import { whyNotReady } from '../api/why/pod.ts';
import type { Clock, Random } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import type { Client } from '../client/client.ts';
import { createInformers } from '../client/shared-informers.ts';
import type { Applied } from './apply.ts';

/** Whether all replicas of the set are there, ready, and of its newest revision (`kubectl rollout status`). */
export function isRolledOut(set: Stored<StatefulSet>): boolean {
  const { status, spec, metadata } = set;
  const replicas = spec.replicas ?? 1;
  if (!status || (status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return false;
  if ((status.readyReplicas ?? 0) !== replicas || status.replicas !== replicas) return false;
  if (spec.updateStrategy?.type === 'OnDelete') return true;
  const partition = spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  return (status.updatedReplicas ?? 0) >= Math.max(0, replicas - partition);
}

/** What the line about a pod says. */
function describePod(pod: Stored<Pod>, claim: Parameters<typeof whyNotReady>[1]): string {
  const because = whyNotReady(pod, claim);
  if (because) return `${isTerminating(pod) ? 'stops' : 'waits'}: ${sentenceOf(because)}`;
  return `ready, ${pod.status?.podIP ?? 'no address'}`;
}

/**
 * Resolves when every set and pod among what was applied is ready; never by itself otherwise.
 * @param say gets a line for every change.
 */
export async function followUntilReady(
  client: Client,
  clock: Clock,
  random: Random,
  applied: readonly Applied[],
  say: (line: string) => void,
): Promise<void> {
  const uidsOf = (kind: string): Set<string> =>
    new Set(
      applied
        .filter(({ manifest }) => manifest.object.kind === kind)
        .map(({ object }) => object.metadata.uid),
    );
  const sets = uidsOf('StatefulSet');
  const barePods = uidsOf('Pod');
  if (sets.size + barePods.size === 0) return;

  const stop = new AbortController();
  const informers = createInformers(client, clock, silentLog, stop.signal, random);
  const setCache = informers.of(statefulSets);
  const podCache = informers.of(pods);
  const claimCache = informers.of(persistentVolumeClaims);
  const said = new Map<string, string>();
  const ours = (pod: Stored<Pod>): boolean =>
    barePods.has(pod.metadata.uid) || sets.has(controllerOf(pod)?.uid ?? '');

  const tell = (pod: Stored<Pod>, text: string): void => {
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
    if (!ours(pod) || said.get(key) === text) return;
    said.set(key, text);
    say(`  ${pod.metadata.name}  ${text}`);
  };
  const describe = (pod: Stored<Pod>): void =>
    tell(
      pod,
      describePod(pod, (name) => claimCache.get(pod.metadata.namespace, name)),
    );

  try {
    await new Promise<void>((resolve) => {
      const check = (): void => {
        const ready =
          setCache.list().filter((set) => sets.has(set.metadata.uid) && isRolledOut(set)).length +
          podCache.list().filter((pod) => barePods.has(pod.metadata.uid) && !whyNotReady(pod)).length;
        if (ready === sets.size + barePods.size) resolve();
      };
      void Promise.all([setCache.synced(), podCache.synced(), claimCache.synced()]).then(() => {
        const changed = (pod: Stored<Pod>): void => {
          describe(pod);
          check();
        };
        podCache.subscribe({ added: changed, updated: changed, deleted: (pod) => tell(pod, 'gone') });
        setCache.subscribe({ added: check, updated: check });
        claimCache.subscribe({
          updated: (claim) => {
            for (const pod of podCache.list(claim.metadata.namespace)) describe(pod);
          },
        });
      });
    });
  } finally {
    stop.abort();
  }
}
