// The loop that removes the pods of lost nodes. A node that is missing from the cache is first left alone for a
// while, and then asked for at the API: a pod is deleted by force only when its node is certainly gone.

import { orUndefined } from '../../api/errors.ts';
import type { ObjectKey } from '../../api/objects.ts';
import { isPodFinished } from '../../api/pod-state.ts';
import { nodes } from '../../api/resources/nodes/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { timestamp } from '../../base/clock.ts';
import { eachByItself } from '../../base/each-by-itself.ts';
import { runController, watch } from '../../client/controller.ts';
import type { RunContext } from '../../client/run-context.ts';
import { type Doomed, planPodGc } from './plan.ts';

const PERIOD_MS = 20_000;
/** How long a node must have been missing, ms. */
const QUARANTINE_MS = 40_000;
/** Changes that come together are one pass, ms. */
const GATHER_MS = 100;
const AT_ONCE = 8;
/** One key for all. */
const PASS: ObjectKey = { name: 'all pods' };

/** Runs the pod garbage collector until the context's signal. */
export async function runPodGcController(context: RunContext): Promise<void> {
  const { client, clock, informers, log } = context;
  const allPods = informers.of(pods);
  const allNodes = informers.of(nodes);
  const missingSinceMs = new Map<string, number>();

  const lostNodes = async (): Promise<Set<string>> => {
    const named = new Set(allPods.list().flatMap((pod) => pod.spec.nodeName ?? []));
    const missing = [...named].filter((name) => !allNodes.get(undefined, name));
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
        if (!(await orUndefined(client.get(nodes, { name })))) lost.add(name);
      },
      (error, node) => log.error('cannot tell whether a node is gone, trying again', error, { node }),
    );
    return lost;
  };

  const pass = async (): Promise<{ requeueAfterMs: number }> => {
    const lost = await lostNodes();
    const byName = new Map(allNodes.list().map((node) => [node.metadata.name, node]));
    await eachByItself(
      planPodGc(allPods.list(), byName, lost),
      AT_ONCE,
      (doomed) => orUndefined(deleteByForce(context, doomed)),
      (error, doomed) => log.error('pod of a lost node could not be deleted', error, describe(doomed)),
    );
    return { requeueAfterMs: PERIOD_MS };
  };

  const soon = (): ObjectKey[] => [PASS];
  await runController(context, 'podgc', {
    workers: 1,
    first: [PASS],
    watches: [
      watch(
        allNodes,
        { added: soon, updated: (node) => (node.spec.taints ? soon() : []), deleted: soon },
        () => GATHER_MS,
      ),
      watch(allPods, { updated: (pod) => (pod.metadata.deletionTimestamp ? soon() : []) }, () => GATHER_MS),
    ],
    reconcile: pass,
  });
}

const describe = ({ pod }: Doomed): Record<string, string | undefined> => ({
  pod: `${pod.metadata.namespace}/${pod.metadata.name}`,
  node: pod.spec.nodeName,
});

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
