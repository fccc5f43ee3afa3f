import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../../api/generated/types.ts';
import { allResources } from '../../../api/resources/all.ts';
import { silentLog } from '../../../base/log.ts';
import { seededRandom } from '../../../testing/seeded-random.ts';
import type { ApiServer } from '../../request.ts';
import { createApiServer } from '../../server.ts';
import { startTestServer } from '../../test-server.ts';
import { signalWhenPodGone } from './pod-gone.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a pod of which a restarted server remembers no change is watched once, until it is gone', async () => {
  const { clock, object, request, resource, store } = await startTestServer();
  const spec = { containers: [{ name: 'c', image: 'x' }] };
  const pod = await object<Pod>('create', 'pods', { body: { metadata: { name: 'p' }, spec } });
  await object('create', 'configmaps', { body: { metadata: { name: 'later' } } });
  const restarted = createApiServer({
    store,
    clock,
    random: seededRandom(1),
    log: silentLog,
    resources: allResources,
    serviceCidr: '10.96.0.0/16',
  });
  const asked: string[] = [];
  const api: ApiServer = {
    ...restarted,
    handle: (one) => {
      asked.push(one.verb);
      return restarted.handle(one);
    },
  };
  const end = new AbortController();
  const user = { name: 'test', groups: ['system:masters'] };
  const gone = signalWhenPodGone({ api, clock }, resource('pods'), pod, user, end.signal);
  for (let i = 0; i < 50; i++) await turn();
  assert.deepEqual(asked, ['watch', 'get']);
  assert.equal(gone.aborted, false);
  const options = { gracePeriodSeconds: 0 };
  await restarted.handle({ ...request('delete', 'pods', { name: 'p' }), deleteOptions: options });
  for (let i = 0; i < 50 && !gone.aborted; i++) await turn();
  assert.equal(gone.aborted, true);
});

test('a pod that is gone already, or another by now, is not waited for', async () => {
  const { api, clock, object, resource } = await startTestServer();
  const spec = { containers: [{ name: 'c', image: 'x' }] };
  const pod = await object<Pod>('create', 'pods', { body: { metadata: { name: 'p' }, spec } });
  const other = { ...pod, metadata: { ...pod.metadata, uid: 'earlier' } };
  const user = { name: 'test', groups: ['system:masters'] };
  const gone = signalWhenPodGone({ api, clock }, resource('pods'), other, user, new AbortController().signal);
  for (let i = 0; i < 50 && !gone.aborted; i++) await turn();
  assert.equal(gone.aborted, true);
});
