// No request of a client that tries twice is lost while a set behind a Service is rolled over, wherever the client is and
// however it asks. The whole of it, three updates and 10,000 requests of each client, is `npm run rolling-traffic`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noContainers } from '../kit/stead.ts';
import { rollUnderTraffic } from './rolling-traffic.ts';

test('a rolling update behind a Service', { skip: noContainers }, async () => {
  const met = await rollUnderTraffic(1, 1_500);
  assert.equal(met.length, 20);
  for (const { asked, client, failed } of met) {
    assert.deepEqual(failed, [], client);
    assert.ok(asked >= 1_500, `${client} asked ${asked} times`);
  }
});
