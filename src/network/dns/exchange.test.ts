// A question that cannot even be sent. What resolvers answer is server.test.ts's business.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { seededRandom } from '../../testing/seeded-random.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { exchange } from './exchange.ts';

it('a resolver that the machine may not send to gives no answer', async () => {
  const context = { clock: new VirtualClock(), random: seededRandom(1) };
  const question = {
    question: Buffer.from([1, 97, 0, 0, 1, 0, 1]),
    dnssecOk: false,
    checkingDisabled: false,
  };
  // The kernel refuses it at once, as it does where there is no route.
  const resolver = { address: '255.255.255.255', port: 53 };
  assert.equal(await exchange(resolver, question, context, new AbortController().signal), undefined);
});
