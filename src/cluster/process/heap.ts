// How large Node lets the heap of this process grow: kept tight while there is little to do, left to itself under load.
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { type Clock, sleep } from '../../base/clock.ts';

const LOOK_MS = 2_000;
/** From so much of one processor on the process counts as busy. */
const BUSY_SHARE = 0.4;

/** With little to do, both halves together have no more than this: what has been filled once is held for good. */
const QUIET_YOUNG_BYTES = 32 * 2 ** 20;

/**
 * A control plane makes much that lives for seconds. Left to itself Node lets a small heap grow to three times what is in
 * use, full of gaps: after an hour in which pods are replaced all the time some 100 MiB more. Tight, it may grow by 30 % before
 * it is looked through, and is then moved together.
 */
const TIGHT = ['--heap-growing-percent=30', '--compact-on-every-full-gc'];
/** Under load the same would cost a third of the throughput, and answers would wait for a tenth of a second at times. */
const LOOSE = ['--heap-growing-percent=0', '--no-compact-on-every-full-gc'];

/** By what the room for young objects is multiplied when more of them stay than it has had room for. */
const youngGrowth = (factor: 1 | 2): string => `--semi-space-growth-factor=${factor}`;

function youngBytes(): number {
  const spaces = getHeapSpaceStatistics().filter((space) => space.space_name === 'new_space');
  return spaces.reduce((sum, space) => sum + space.space_size, 0);
}

/** Looks after the heap until the signal. */
export async function tendHeap(clock: Clock, signal: AbortSignal): Promise<void> {
  let isTight = false;
  let before = process.cpuUsage();
  for (let lookMs = 0; !signal.aborted; lookMs = LOOK_MS) {
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    const share = lookMs === 0 ? 0 : (user + system) / 1000 / lookMs;
    const isBusy = share > BUSY_SHARE;
    if (isBusy === isTight) for (const flag of isBusy ? LOOSE : TIGHT) setFlagsFromString(flag);
    isTight = !isBusy;
    setFlagsFromString(youngGrowth(isBusy || youngBytes() < QUIET_YOUNG_BYTES ? 2 : 1));
    await sleep(clock, LOOK_MS, signal);
  }
}
