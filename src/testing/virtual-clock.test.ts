import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sleep } from '../base/clock.ts';
import { seededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

describe('virtual clock', () => {
  it('fires in order of time, each with all that follows before the next', async () => {
    const clock = new VirtualClock(0);
    const seen: string[] = [];
    const loop = async (name: string, everyMs: number): Promise<void> => {
      for (;;) {
        await sleep(clock, everyMs);
        for (let i = 0; i < 50; i++) await undefined;
        seen.push(`${name}@${clock.now()}`);
      }
    };
    void loop('a', 30);
    void loop('b', 20);
    await clock.advance(60);
    assert.deepEqual(seen, ['b@20', 'a@30', 'b@40', 'a@60', 'b@60']);
    assert.equal(clock.now(), 60);
  });

  it('cancels, and runs until idle or until a condition holds', async () => {
    const clock = new VirtualClock(0);
    const seen: number[] = [];
    clock.after(10, () => seen.push(10))();
    clock.after(5, () => clock.after(5, () => seen.push(clock.now())));
    await clock.runUntilIdle();
    assert.deepEqual(seen, [10]);
    const again = (): void => void clock.after(100, again);
    again();
    await clock.runUntilIdle(() => clock.now() >= 1000);
    assert.equal(clock.now(), 1010);
    await assert.rejects(
      clock.runUntilIdle(undefined, 5000),
      /still not at rest after 5000 ms|still not at rest/,
    );
  });
});

describe('seeded random', () => {
  it('repeats itself from a seed, and makes version 4 UUIDs', () => {
    const run = (seed: number): unknown[] => {
      const random = seededRandom(seed);
      return [random.next(), random.uuid(), random.next(), random.uuid()];
    };
    assert.deepEqual(run(7), run(7));
    assert.notDeepEqual(run(7), run(8));
    assert.match(
      seededRandom(1).uuid(),
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    const random = seededRandom(42);
    let sum = 0;
    for (let i = 0; i < 10_000; i++) sum += random.next();
    assert.ok(Math.abs(sum / 10_000 - 0.5) < 0.02);
  });
});
