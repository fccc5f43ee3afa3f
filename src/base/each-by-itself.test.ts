import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eachByItself, eachOrThrow } from './each-by-itself.ts';

describe('each by itself', () => {
  it('what fails for one keeps no other from its turn', async () => {
    const done: number[] = [];
    const failed: number[] = [];
    await eachByItself(
      [1, 2, 3, 4, 5],
      2,
      async (item) => {
        if (item % 2 === 0) throw new Error(`no ${item}`);
        done.push(item);
      },
      (_error, item) => failed.push(item),
    );
    assert.deepEqual(
      [done, failed],
      [
        [1, 3, 5],
        [2, 4],
      ],
    );
  });

  it('one that takes long holds up none but its own place', async () => {
    const done: number[] = [];
    let release = (): void => {};
    const long = new Promise<void>((resolve) => {
      release = resolve;
    });
    const all = eachOrThrow([0, 1, 2, 3], 2, async (item) => {
      if (item === 0) await long;
      done.push(item);
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(done, [1, 2, 3]);
    release();
    await all;
    assert.deepEqual(done, [1, 2, 3, 0]);
  });

  it('never does more at a time than the limit', async () => {
    let now = 0;
    let most = 0;
    await eachOrThrow(Array(20).fill(0), 3, async () => {
      most = Math.max(most, ++now);
      await undefined;
      now--;
    });
    assert.equal(most, 3);
  });

  it('throws the first failure when all have had their turn', async () => {
    const done: number[] = [];
    const work = async (item: number): Promise<void> => {
      done.push(item);
      if (item < 3) throw new Error(`no ${item}`);
    };
    await assert.rejects(eachOrThrow([1, 2, 3], 1, work), /no 1/);
    assert.deepEqual(done, [1, 2, 3]);
  });
});
