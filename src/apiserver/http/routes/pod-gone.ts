// Tells when a pod is gone, for connections that would outlive it.

import { isNotFound } from '../../../api/errors.ts';
import type { Pod } from '../../../api/generated/types.ts';
import type { Stored } from '../../../api/objects.ts';
import type { ResourceDefinition } from '../../../api/resource.ts';
import { type Clock, sleep } from '../../../base/clock.ts';
import type { ApiServer, User } from '../../request.ts';

/** How long a watch that has ended before its pod is not begun again: whatever ended it may end the next one, too. */
const AGAIN_MS = 1000;

/** @returns aborted when the pod's object is gone, or `signal` is aborted. */
export function signalWhenPodGone(
  { api, clock }: { api: ApiServer; clock: Clock },
  resource: ResourceDefinition,
  pod: Stored<Pod>,
  user: User,
  signal: AbortSignal,
): AbortSignal {
  const gone = new AbortController();
  const either = AbortSignal.any([signal, gone.signal]);
  void untilGone(api, clock, resource, pod, user, either)
    .catch(() => {})
    .finally(() => gone.abort());
  return either;
}

/** Watches; a watch that ends before the pod does is begun again after a while. */
async function untilGone(
  api: ApiServer,
  clock: Clock,
  resource: ResourceDefinition,
  pod: Stored<Pod>,
  user: User,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name, uid } = pod.metadata;
  const about = { resource, namespace, user };
  const isThere = async (): Promise<boolean> => {
    try {
      const found = await api.handle({ ...about, verb: 'get', name, options: {} });
      return found.type === 'object' && found.object.metadata.uid === uid;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  };
  while (!signal.aborted) {
    // From now on, and not from the version that the pod was read at: nothing is remembered of one that has not changed
    // for long, and a watch from there ends as soon as it begins.
    const options = { fieldSelector: `metadata.name=${name}` };
    const watch = await api.handle({ ...about, verb: 'watch', options, signal });
    if (watch.type !== 'watch') return;
    const { stream } = watch;
    // It may have gone just before the watch began.
    if (!(await isThere())) {
      stream.stop();
      return;
    }
    for (let events = await stream.next(); events; events = await stream.next()) {
      if (events.some(({ type }) => type === 'DELETED')) {
        stream.stop();
        return;
      }
    }
    await sleep(clock, AGAIN_MS, signal);
  }
}
