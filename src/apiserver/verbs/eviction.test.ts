// Evictions: what a pod says of its own, and what budgets let through.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, PodCondition, PodDisruptionBudget } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { pod, refusal } from '../test-objects.ts';
import { startTestServer, type TestServer } from '../test-server.ts';

const LABELS = { app: 'web' };

/** A pod on a node, so that it takes its time to go. */
async function running(server: TestServer, name: string, ready: boolean): Promise<void> {
  const labelled = { ...pod(name, { nodeName: 'n' }), metadata: { name, labels: LABELS } };
  const made = await server.object<Pod>('create', 'pods', { body: labelled });
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
  const body = { ...made, status: { ...made.status, phase: 'Running', conditions } };
  await server.object('update', 'pods', { name, subresource: 'status', body });
}

/** A budget that allows nothing: two pods are wanted, and one is healthy. */
async function spentBudget(server: TestServer, spec: object = {}, status: object = {}): Promise<void> {
  const budget = await server.object('create', 'poddisruptionbudgets', {
    body: { metadata: { name: 'b' }, spec: { minAvailable: 2, selector: { matchLabels: LABELS }, ...spec } },
  });
  const counted = { currentHealthy: 1, desiredHealthy: 2, disruptionsAllowed: 0, expectedPods: 2, ...status };
  const body = { ...budget, status: { ...counted, observedGeneration: 1 } };
  await server.object('update', 'poddisruptionbudgets', { name: 'b', subresource: 'status', body });
}

const evict = (server: TestServer, name: string, deleteOptions?: object): Promise<unknown> =>
  server.handle('create', 'pods', {
    name,
    subresource: 'eviction',
    body: { metadata: { name }, ...(deleteOptions ? { deleteOptions } : {}) },
  });

const get = (server: TestServer, name: string): Promise<Stored<Pod>> =>
  server.object<Pod>('get', 'pods', { name });

const disruption = ({ status }: Pod): PodCondition | undefined =>
  status?.conditions?.find(({ type }) => type === 'DisruptionTarget');

test('an evicted pod says so while it goes', async () => {
  const server = await startTestServer();
  await running(server, 'a', true);
  await evict(server, 'a');
  const going = await get(server, 'a');
  assert.ok(going.metadata.deletionTimestamp);
  const { status, reason, message } = disruption(going) ?? {};
  assert.deepEqual([status, reason, message], ['True', 'EvictionByEvictionAPI', 'Eviction API: evicting']);
});

test('of which generation a condition is stays said when it is written without', async () => {
  const server = await startTestServer();
  await running(server, 'a', true);
  const conditionsOf = async (conditions: object[]): Promise<unknown[]> => {
    const body = { status: { conditions } };
    const written = await server.object<Pod>('patch', 'pods', {
      name: 'a',
      subresource: 'status',
      patchType: 'merge',
      body,
    });
    return (written.status?.conditions ?? []).map((each) => each.observedGeneration);
  };
  const ready = { type: 'Ready', status: 'True' };
  assert.deepEqual(await conditionsOf([{ ...ready, observedGeneration: 1 }]), [1]);
  assert.deepEqual(await conditionsOf([{ ...ready, status: 'False' }]), [1]);
});

test('a pod that is not ready goes beyond a budget only where the budget lets it', async () => {
  const cases: Array<[spec: object, status: object, code: number]> = [
    [{}, {}, 429],
    [{ unhealthyPodEvictionPolicy: 'IfHealthyBudget' }, {}, 429],
    [{ unhealthyPodEvictionPolicy: 'IfHealthyBudget' }, { currentHealthy: 2 }, 201],
    [{ unhealthyPodEvictionPolicy: 'AlwaysAllow' }, {}, 201],
  ];
  for (const [spec, status, code] of cases) {
    const server = await startTestServer();
    await running(server, 'ready', true);
    await running(server, 'unready', false);
    await spentBudget(server, spec, status);
    assert.equal((await refusal(evict(server, 'ready'))).code, 429);
    const answer = evict(server, 'unready').then(
      () => 201,
      (error: { code: number }) => error.code,
    );
    assert.equal(await answer, code, JSON.stringify([spec, status]));
  }
});

test('a pod that has not begun or has ended needs no budget', async () => {
  const server = await startTestServer();
  await spentBudget(server);
  for (const phase of ['Pending', 'Succeeded']) {
    await running(server, 'a', true);
    const body = { status: { phase } };
    await server.object('patch', 'pods', { name: 'a', subresource: 'status', patchType: 'merge', body });
    await evict(server, 'a', { gracePeriodSeconds: 0 });
    assert.equal((await refusal(get(server, 'a'))).code, 404);
  }
});

test('a granted eviction is taken from the budget, once; a trial takes nothing', async () => {
  const server = await startTestServer();
  await running(server, 'a', true);
  await spentBudget(server, {}, { currentHealthy: 3, disruptionsAllowed: 1 });
  await evict(server, 'a', { dryRun: ['All'] });
  assert.equal(disruption(await get(server, 'a')), undefined);
  await evict(server, 'a');
  const { status } = await server.object<PodDisruptionBudget>('get', 'poddisruptionbudgets', { name: 'b' });
  assert.equal(status?.disruptionsAllowed, 0);
  assert.deepEqual(Object.keys(status?.disruptedPods ?? {}), ['a']);
  const [condition] = status?.conditions ?? [];
  assert.deepEqual([condition?.status, condition?.reason], ['False', 'InsufficientPods']);
});

test('an eviction insists on the pod that it means', async () => {
  const server = await startTestServer();
  await running(server, 'a', true);
  const { code, message } = await refusal(evict(server, 'a', { preconditions: { uid: 'other' } }));
  assert.equal(code, 409);
  assert.match(message ?? '', /the UID in the precondition \(other\) does not match the UID in record/);
  const { resourceVersion } = (await get(server, 'a')).metadata;
  await evict(server, 'a', { preconditions: { resourceVersion } });
  const body = { metadata: { name: 'b' } };
  assert.equal(
    (await refusal(server.handle('create', 'pods', { name: 'a', subresource: 'eviction', body }))).message,
    'name in URL does not match name in Eviction object',
  );
});
