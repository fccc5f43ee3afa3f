import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from './fuzz.ts';

for (const [requests, seed, https] of [
  [2_500, 1, false],
  [500, 2, true],
] as const) {
  test(`${requests} made-up requests ${https ? 'over HTTPS' : 'in process'}: no failure, nothing stored that is not valid`, async () => {
    const { problems, codes, stored } = await fuzz(requests, seed, https);
    assert.deepEqual(problems, []);
    // It has come through to the store, and not been refused at the door.
    assert.ok((codes[201] ?? 0) > requests / 50, JSON.stringify(codes));
    assert.ok(stored > 10);
  });
}
