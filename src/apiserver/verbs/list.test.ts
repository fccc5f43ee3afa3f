import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isNotFound } from '../../api/errors.ts';
import { configMap } from '../test-objects.ts';
import { startTestServer, type TestServer } from '../test-server.ts';

const NAMES = 'abcdefghij'.split('');

/** Changes what is there, as other clients do between two pages. */
async function meddle(server: TestServer, name: string, isDeletion: boolean): Promise<void> {
  if (isDeletion) {
    await server.handle('delete', 'configmaps', { name }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    return;
  }
  const body = {
    ...configMap(`${name}x`, { at: name }),
    metadata: { name: `${name}x`, labels: { even: 'yes' } },
  };
  await server.handle('create', 'configmaps', { body }).catch(() => undefined);
}

test('the pages of a list are one list of one moment, with and without a selector, whatever is written between', async () => {
  const change = fc.record({ name: fc.constantFrom(...NAMES), isDeletion: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 12 }),
      fc.integer({ min: 1, max: 11 }),
      fc.boolean(),
      async (changes, limit, selects) => {
        const server = await startTestServer();
        for (const [index, name] of NAMES.entries()) {
          const labels = index % 2 === 0 ? { even: 'yes' } : {};
          await server.object('create', 'configmaps', { body: { metadata: { name, labels } } });
        }
        const selector = selects ? { labelSelector: 'even=yes' } : {};
        const whole = await server.list('list', 'configmaps', { options: selector });
        const seen: string[] = [];
        let token: string | undefined;
        const left = [...changes];
        do {
          const options = { ...selector, limit, ...(token ? { continue: token } : {}) };
          const page = await server.list('list', 'configmaps', { options });
          assert.equal(page.metadata.resourceVersion, whole.metadata.resourceVersion);
          seen.push(...page.items.map(({ metadata }) => metadata.name));
          token = page.metadata.continue;
          const remaining = token && !selects ? whole.items.length - seen.length : undefined;
          assert.equal(page.metadata.remainingItemCount, remaining);
          for (const { name, isDeletion } of left.splice(0, 3)) await meddle(server, name, isDeletion);
        } while (token);
        assert.deepEqual(
          seen,
          whole.items.map(({ metadata }) => metadata.name),
        );
        server.api.stop();
      },
    ),
    { numRuns: 60 },
  );
});
