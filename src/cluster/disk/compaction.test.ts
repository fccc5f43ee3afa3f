import assert from 'node:assert/strict';
import { it } from 'node:test';
import { silentLog } from '../../base/log.ts';
import { openMemoryStore } from '../../store/memory.ts';
import { CompactedError } from '../../store/store.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { runCompaction } from './compaction.ts';

const FIVE_MINUTES_MS = 5 * 60_000;

it('keeps what was written in the last five minutes, and forgets what was before', async () => {
  const store = openMemoryStore();
  const clock = new VirtualClock();
  const stop = new AbortController();
  const running = runCompaction(store, clock, silentLog, stop.signal);
  const write = (key: string): Promise<unknown> => store.put(key, Buffer.from('x'), 0);
  const listAt = (revision: number): Promise<unknown> => store.list('/', { revision });

  await write('/a');
  await write('/b');
  await clock.advance(FIVE_MINUTES_MS);
  await write('/c');
  await listAt(2);
  await clock.advance(FIVE_MINUTES_MS);
  await assert.rejects(listAt(1), CompactedError);
  await listAt(3);
  stop.abort();
  await clock.settle();
  await running;
});

it('keeps ten thousand revisions of a busy store, and all of the last minute', async () => {
  const store = openMemoryStore();
  const clock = new VirtualClock();
  const stop = new AbortController();
  const running = runCompaction(store, clock, silentLog, stop.signal);
  const writeMany = async (prefix: string, count: number): Promise<void> => {
    for (let index = 0; index < count; index++) await store.put(`/${prefix}/${index}`, Buffer.from('x'), 0);
  };
  const listAt = (revision: number): Promise<unknown> => store.list('/', { revision, limit: 1 });

  await writeMany('a', 12_000);
  await clock.advance(60_000);
  await listAt(1);
  await writeMany('b', 100);
  await clock.advance(60_000);
  await assert.rejects(listAt(2_099), CompactedError);
  await listAt(2_101);
  stop.abort();
  await clock.settle();
  await running;
});
