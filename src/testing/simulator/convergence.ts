// Whether a simulated cluster has come to what its people want, and if not, what is missing.
import { isReady } from '../../api/conditions.ts';
import type { StatefulSet } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { isTerminating } from '../../api/objects.ts';
import { nameOf, partitionOf, wanted } from './rollout-rules.ts';
import type { World } from './world.ts';

/** What is not yet as it should be; undefined if all is. */
export async function notConverged(world: World, sets: readonly string[]): Promise<string | undefined> {
  for (const name of sets) {
    const set = world.truth.sets.get(name);
    const why = set ? setIsNotDone(world, set) : 'there is no such set';
    if (why) return `set ${name}: ${why}`;
  }
  return runtimesAreNotDone(world);
}

function setIsNotDone({ truth }: World, set: Stored<StatefulSet>): string | undefined {
  const { status, metadata, spec } = set;
  if (isTerminating(set)) return 'it is being deleted';
  if (status?.observedGeneration !== metadata.generation) return 'the status is of an older generation';
  const ordinals = wanted(set);
  const counts = [status?.replicas, status?.readyReplicas ?? 0, status?.availableReplicas];
  if (counts.some((count) => count !== ordinals.length))
    return `${counts} of ${ordinals.length} pods are there`;
  const owned = truth.podsOf(set);
  if (owned.size !== ordinals.length) return `it has ${owned.size} pods, not ${ordinals.length}`;
  for (const [index, ordinal] of ordinals.entries()) {
    const pod = owned.get(ordinal);
    const name = nameOf(set, ordinal);
    if (!pod || isTerminating(pod) || !isReady(pod)) return `pod ${name} is not ready`;
    const isUpdated = spec.updateStrategy?.type !== 'OnDelete' && index >= partitionOf(set);
    const image = spec.template.spec?.containers[0]?.image;
    if (isUpdated && pod.spec.containers[0]?.image !== image) return `pod ${name} is not at ${image}`;
    if (isUpdated && pod.metadata.labels?.['controller-revision-hash'] !== status?.updateRevision) {
      return `pod ${name} is not at revision ${status?.updateRevision}`;
    }
    for (const template of spec.volumeClaimTemplates ?? []) {
      const claim = truth.claims.get(`${template.metadata.name}-${name}`);
      if (claim?.status?.phase !== 'Bound') return `the claim of pod ${name} is not bound`;
    }
  }
  return undefined;
}

/** Exactly the pods of the API run, each on its node. */
async function runtimesAreNotDone({ truth, machines }: World): Promise<string | undefined> {
  const nodeOf = new Map([...truth.pods.values()].map((pod) => [pod.metadata.uid, pod.spec.nodeName]));
  const running = new Set<string>();
  for (const machine of machines) {
    for (const sandbox of await machine.runtime.listSandboxes()) {
      if (nodeOf.get(sandbox.podUid) !== machine.name) {
        return `a sandbox of ${sandbox.name} (${sandbox.podUid}) is left on ${machine.name}`;
      }
    }
    for (const container of await machine.runtime.listContainers()) {
      if (container.state !== 'running') continue;
      if (running.has(container.podUid)) return `pod ${container.podUid} runs twice`;
      running.add(container.podUid);
    }
  }
  for (const [uid, node] of nodeOf) if (!running.has(uid)) return `pod ${uid} does not run on ${node}`;
  return undefined;
}
