// Tells when a pod is gone, for connections that would outlive it.
import { isNotFound } from '../../api/errors.ts';
import type { Pod } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import type { ApiServer, User } from '../request.ts';

/** @returns aborted when the pod's object is gone, or `signal` is aborted. */
export function signalWhenPodGone(
  api: ApiServer,
  resource: ResourceDefinition,
  pod: Stored<Pod>,
  user: User,
  signal: AbortSignal,
): AbortSignal {
  const gone = new AbortController();
  const either = AbortSignal.any([signal, gone.signal]);
  void untilGone(api, resource, pod, user, either)
    .catch(() => {})
    .finally(() => gone.abort());
  return either;
}

/** Watches; a watch that ends before the pod does is begun again, if the pod is still there. */
async function untilGone(
  api: ApiServer,
  resource: ResourceDefinition,
  pod: Stored<Pod>,
  user: User,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name, uid } = pod.metadata;
  const about = { resource, namespace, user };
  for (let current: Stored<Pod> | undefined = pod; current?.metadata.uid === uid && !signal.aborted; ) {
    const { resourceVersion } = current.metadata;
    const options = { fieldSelector: `metadata.name=${name}`, resourceVersion };
    const watch = await api.handle({ ...about, verb: 'watch', options, signal });
    if (watch.type !== 'watch') return;
    for (let events = await watch.stream.next(); events; events = await watch.stream.next()) {
      if (events.some(({ type }) => type === 'DELETED')) return;
    }
    current = await api.handle({ ...about, verb: 'get', name, options: {} }).then(
      (result) => (result.type === 'object' ? (result.object as Stored<Pod>) : undefined),
      (error: unknown) => {
        if (isNotFound(error)) return undefined;
        throw error;
      },
    );
  }
}
