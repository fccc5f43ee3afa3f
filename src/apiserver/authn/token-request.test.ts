// A token is asked for through the door that every write comes through: what admission says of a new thing in a
// namespace, it says of a token, too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusal } from '../test-objects.ts';
import { startTestServer } from '../test-server.ts';

test('a namespace that is going, or is not there, gives no tokens; and what is wrong with the wish is told', async () => {
  const server = await startTestServer();
  const ask = (namespace: string, spec: object = {}) =>
    server.handle('create', 'serviceaccounts', {
      namespace,
      name: 'robot',
      subresource: 'token',
      body: { spec: { audiences: [], ...spec } },
    });
  await server.handle('create', 'namespaces', { body: { metadata: { name: 'going' } } });
  await server.handle('create', 'serviceaccounts', {
    namespace: 'going',
    body: { metadata: { name: 'robot' } },
  });
  const given = await ask('going', { shape: 'round' });
  assert.ok(given.type === 'object');
  assert.deepEqual([given.code, given.warnings], [201, ['unknown field "spec.shape"']]);
  await server.handle('delete', 'namespaces', { name: 'going' });
  assert.equal(
    (await refusal(ask('going'))).message,
    'serviceaccounts "robot" is forbidden: unable to create new content in namespace going because it is being terminated',
  );
  assert.equal((await refusal(ask('none'))).message, 'namespaces "none" not found');
});
