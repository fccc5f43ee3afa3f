// The StatefulSet of these tests (upstream's e2e framework has one like it), and what it means that such a set is
// ready, has been looked at, waits, or has been updated.
import type { V1StatefulSet, V1StatefulSetSpec } from '@kubernetes/client-node';
import { imageOf, isReady, revisionOf, type TestNamespace } from './namespace.ts';

export const LABELS = { foo: 'bar', baz: 'blah' };
export const IMAGE = 'k8s.gcr.io/nginx-slim:0.8';
export const NEW_IMAGE = 'stead.dev/toolbox:1';

/** On a simulated pod: its readiness probe fails. */
const UNREADY = { 'simulated.stead.dev/ready': 'false' };

export interface SetOptions extends Partial<V1StatefulSetSpec> {
  name?: string;
  /** Claims, by the name of their template; each is mounted at a directory of its name. */
  claims?: string[];
  /** Pods begin with a readiness probe that fails, until `resume`. */
  paused?: boolean;
}

export function setOf({ name = 'ss', claims = [], paused = false, ...spec }: SetOptions): V1StatefulSet {
  return {
    metadata: { name, labels: LABELS },
    spec: {
      serviceName: 'test',
      replicas: 3,
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS, ...(paused ? { annotations: UNREADY } : {}) },
        spec: {
          containers: [
            {
              name: 'webserver',
              image: IMAGE,
              volumeMounts: claims.map((claim) => ({ name: claim, mountPath: `/${claim}` })),
            },
          ],
        },
      },
      volumeClaimTemplates: claims.map((claim) => ({
        metadata: { name: claim },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '20Mi' } } },
      })),
      ...spec,
    },
  };
}

/** The set with its headless Service, created. */
export async function createSet(space: TestNamespace, options: SetOptions): Promise<V1StatefulSet> {
  const { name: namespace } = space;
  const ports = [{ port: 80, name: 'http' }];
  const body = { metadata: { name: 'test' }, spec: { clusterIP: 'None', selector: LABELS, ports } };
  await space.core.createNamespacedService({ namespace, body });
  return space.apps.createNamespacedStatefulSet({ namespace, body: setOf(options) });
}

/** `kubectl scale`. */
export async function scale(space: TestNamespace, name: string, replicas: number): Promise<V1StatefulSet> {
  return space.patchSet(name, { spec: { replicas } });
}

/** Names of the pods there are, sorted by ordinal. */
export function podNames(space: TestNamespace): string[] {
  return [...space.pods.keys()].sort((a, b) => ordinalOf(a) - ordinalOf(b));
}
const ordinalOf = (name: string): number => Number(name.slice(name.lastIndexOf('-') + 1));

type Status = NonNullable<V1StatefulSet['status']>;

/**
 * Waits until the set's status satisfies.
 * @param written what the API answered to the newest change of the set: a status of before it does not count.
 */
export function untilStatus(
  space: TestNamespace,
  { metadata: { name = '', generation = 1 } = {} }: V1StatefulSet,
  what: string,
  satisfies: (status: Status) => boolean,
): Promise<V1StatefulSet> {
  return space.until(`${name}: ${what}`, () => {
    const set = space.sets.get(name);
    if ((set?.status?.observedGeneration ?? 0) < generation) return undefined;
    return set?.status !== undefined && satisfies(set.status) && set;
  });
}

/** Waits until exactly the pods that the set wants are there and ready, and its status says so. */
export async function untilReady(space: TestNamespace, written: V1StatefulSet): Promise<V1StatefulSet> {
  const replicas = written.spec?.replicas ?? 1;
  await space.until(`${replicas} pods are ready`, () => {
    const pods = [...space.pods.values()].filter((pod) => !pod.metadata?.deletionTimestamp);
    return space.pods.size === replicas && pods.filter(isReady).length === replicas;
  });
  return untilStatus(space, written, 'is ready', (status) => {
    return status.replicas === replicas && (status.readyReplicas ?? 0) === replicas;
  });
}

/** Waits until the set says that it waits, and for what. */
export function untilWaiting(
  space: TestNamespace,
  written: V1StatefulSet,
  sentence: RegExp,
): Promise<V1StatefulSet> {
  return untilStatus(space, written, `waits: ${sentence}`, ({ conditions }) => {
    const progressing = conditions?.find(({ type }) => type === 'Progressing');
    return sentence.test(progressing?.message ?? '');
  });
}

/** Waits until the rollout is complete: the update revision is the current one, and all are ready. */
export function untilUpdated(space: TestNamespace, written: V1StatefulSet): Promise<V1StatefulSet> {
  return untilStatus(space, written, 'is updated', (status) => {
    const { currentRevision, updateRevision, readyReplicas = 0 } = status;
    return currentRevision === updateRevision && readyReplicas === status.replicas;
  });
}

/** A new image for the set's container. */
export function setImage(space: TestNamespace, name: string, image: string): Promise<V1StatefulSet> {
  return space.patchSet(name, {
    spec: { template: { spec: { containers: [{ name: 'webserver', image }] } } },
  });
}

/** As a readiness probe that begins to fail. */
export async function breakProbe(space: TestNamespace, ...pods: string[]): Promise<void> {
  for (const pod of pods) await space.patchPod(pod, { metadata: { annotations: UNREADY } });
}
export async function restoreProbe(space: TestNamespace, ...pods: string[]): Promise<void> {
  const annotations = { 'simulated.stead.dev/ready': 'true' };
  for (const pod of pods) await space.patchPod(pod, { metadata: { annotations } });
}

/** Waits until each of these pods is ready and has this image and this revision. */
export function untilPods(
  space: TestNamespace,
  names: string[],
  image: string,
  revision: string | undefined,
): Promise<true> {
  return space.until(`${names} have ${image}`, () =>
    names.every((name) => {
      const pod = space.pods.get(name);
      return isReady(pod) && imageOf(pod) === image && revisionOf(pod) === revision;
    }),
  );
}

/** What identifies the pods there are: a pod made again has another. */
export function uids(space: TestNamespace): Array<string | undefined> {
  return podNames(space).map((name) => space.pods.get(name)?.metadata?.uid);
}

/** Takes a pod's owner from it, and waits until a set has taken it back: so quickly, often, that no watch shows it without. */
export async function orphanUntilAdopted(space: TestNamespace, pod: string): Promise<void> {
  const orphaned = await space.patchPod(pod, { metadata: { ownerReferences: null } });
  await space.until(`${pod} is adopted`, () => {
    const { ownerReferences = [], resourceVersion } = space.pods.get(pod)?.metadata ?? {};
    const isLater = Number(resourceVersion) > Number(orphaned.metadata?.resourceVersion);
    return isLater && ownerReferences.some(({ kind }) => kind === 'StatefulSet');
  });
}
