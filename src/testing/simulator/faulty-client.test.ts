// The simulator's transport in calm weather, held to the contract of the others.
import assert from 'node:assert/strict';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { serviceAccounts } from '../../api/resources/service-accounts/definition.ts';
import { clientContract } from '../../client/test-contract.ts';
import { systemClock } from '../../cluster/process/system-clock.ts';
import { ADMINISTRATOR } from '../../cluster/roles/identities.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { seededRandom } from '../seeded-random.ts';
import { ApiEndpoint } from './api-endpoint.ts';
import { CALM } from './faults.ts';
import { FaultyClient } from './faulty-client.ts';
import { Process } from './process.ts';

clientContract('simulated', async () => {
  const store = openMemoryStore();
  const random = seededRandom(1);
  const api = new ApiEndpoint(store, systemClock, random, assert.fail);
  api.start();
  const process = new Process('test', systemClock);
  const client = new FaultyClient({
    api,
    user: ADMINISTRATOR,
    process,
    random,
    weather: () => CALM,
    isCut: () => false,
  });
  await client.create(namespaces, { metadata: { name: 'default' }, spec: {} });
  await client.create(serviceAccounts, { metadata: { namespace: 'default', name: 'default' } });
  assert.ok(api.server);
  return {
    client,
    api: api.server,
    compact: async () => store.compact(await store.revision()),
    async close() {
      api.stop();
      process.kill();
      await store.close();
    },
  };
});
