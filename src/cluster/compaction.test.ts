import assert from 'node:assert/strict';
import { it } from 'node:test';
import { silentLog } from '../api/log.ts';
import { openMemoryStore } from '../store/memory.ts';
import { CompactedError } from '../store/store.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
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
