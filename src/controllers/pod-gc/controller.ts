// The loop that removes the pods of lost nodes. A node that is missing from the cache is first left alone for a
// while, and then asked for at the API: a pod is deleted by force only when its node is certainly gone.

import { isNotFound } from '../../api/errors.ts';
import { isPodFinished } from '../../api/pod-state.ts';
import { nodes } from '../../api/resources/nodes/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { timestamp } from '../../base/clock.ts';
import { eachByItself } from '../../base/each-by-itself.ts';
import type { RunContext } from '../../client/run-context.ts';
import { runWorkers } from '../../client/run-workers.ts';
import { WorkQueue } from '../../client/work-queue.ts';
import { type Doomed, planPodGc } from './plan.ts';

const PERIOD_MS = 20_000;
/** How long a node must have been missing, ms. */
const QUARANTINE_MS = 40_000;
/** Changes that come together are one pass, ms. */
const GATHER_MS = 100;
const AT_ONCE = 8;
const PASS = 'all pods';

/** Runs the pod garbage collector until the context's signal. */
export async function runPodGcController(context: RunContext): Promise<void> {
  const { informers, clock, log, signal } = context;
  const queue = new WorkQueue(clock, context.queues?.named('podgc'));
  const podInformer = informers.of(pods);
  const nodeInformer = informers.of(nodes);
  try {
    await Promise.all([podInformer.synced(), nodeInformer.synced()]);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  const missingSinceMs = new Map<string, number>();

  const lostNodes = async (): Promise<Set<string>> => {
    const named = new Set(podInformer.list().flatMap((pod) => pod.spec.nodeName ?? []));
    const missing = [...named].filter((name) => !nodeInformer.get(undefined, name));
    for (const name of missingSinceMs.keys()) if (!missing.includes(name)) missingSinceMs.delete(name);
    const lost = new Set<string>();
    for (const name of missing) {
      const since = missingSinceMs.get(name) ?? clock.now();
      missingSinceMs.set(name, since);
    }
    const due = missing.filter((name) => clock.now() - (missingSinceMs.get(name) ?? 0) >= QUARANTINE_MS);
    await eachByItself(
      due,
      AT_ONCE,
      async (name) => {
        if (await isGone(context, name)) lost.add(name);
      },
      (error, node) => log.error('cannot tell whether a node is gone, trying again', error, { node }),
    );
    return lost;
  };

  const pass = async (): Promise<{ requeueAfterMs: number }> => {
    const lost = await lostNodes();
    const byName = new Map(nodeInformer.list().map((node) => [node.metadata.name, node]));
    await eachByItself(
      planPodGc(podInformer.list(), byName, lost),
      AT_ONCE,
      (doomed) => deleteByForce(context, doomed),
      (error, doomed) => {
        if (!isNotFound(error)) log.error('pod of a lost node could not be deleted', error, describe(doomed));
      },
    );
    return { requeueAfterMs: PERIOD_MS };
  };

  const soon = (): void => queue.addAfter(PASS, GATHER_MS);
  const unsubscribe = [
    nodeInformer.subscribe({ added: soon, updated: (node) => node.spec.taints && soon(), deleted: soon }),
    podInformer.subscribe({ updated: (pod) => pod.metadata.deletionTimestamp && soon() }),
  ];
  queue.add(PASS);
  await runWorkers(queue, 1, pass, log, signal);
  for (const end of unsubscribe) end();
}

const describe = ({ pod }: Doomed): Record<string, string | undefined> => ({
  pod: `${pod.metadata.namespace}/${pod.metadata.name}`,
  node: pod.spec.nodeName,
});

async function isGone({ client }: RunContext, name: string): Promise<boolean> {
  try {
    await client.get(nodes, { name });
    return false;
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
}

/** Says first that the pod failed, so that whoever waits for its end sees one. */
async function deleteByForce({ client, clock, log }: RunContext, doomed: Doomed): Promise<void> {
  const { pod, disruption } = doomed;
  const { namespace, name, uid } = pod.metadata;
  log.info('deleting by force a pod that no node will clean up', describe(doomed));
  if (disruption && !isPodFinished(pod)) {
    const condition = {
      type: 'DisruptionTarget',
      observedGeneration: pod.metadata.generation,
      status: 'True',
      ...disruption,
      lastTransitionTime: timestamp(clock.now()),
    };
    const body = { metadata: { uid }, status: { phase: 'Failed', conditions: [condition] } };
    await client.patch(pods, { namespace, name }, { type: 'strategic', body }, { subresource: 'status' });
  }
  await client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
}
