import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { ADMINISTRATOR, controllerUser, nodeUser } from '../../cluster/roles/identities.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { seededRandom } from '../seeded-random.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { ApiEndpoint } from './api-endpoint.ts';

test('who asks for what they may not is told of, and refused', async () => {
  const refused: string[] = [];
  const store = openMemoryStore();
  const api = new ApiEndpoint(store, new VirtualClock(), seededRandom(1), (what) => refused.push(what));
  api.start();
  await api.use(ADMINISTRATOR, (client) =>
    client.create(namespaces, { metadata: { name: 'default' }, spec: {} }),
  );
  const key = { namespace: 'default', name: 'web-0' };
  await assert.rejects(api.use(controllerUser('statefulset'), (client) => client.get(pods, key)));
  assert.match(refused[0] ?? '', /statefulset-controller" cannot get resource "pods"/);
  // A node that asks for a pod that has just gone has done nothing wrong.
  await assert.rejects(
    api.use(nodeUser('node-0'), (client) => client.get(pods, key)),
    /no relationship/,
  );
  await assert.rejects(api.use(nodeUser('node-0'), (client) => client.list(pods)));
  assert.equal(refused.length, 2);
  api.stop();
  await store.close();
});
