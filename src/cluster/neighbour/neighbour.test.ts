// The node process as it is started, lost, started again, found and ended; the machine behind it is none
// (test-node-process.ts), its life and its socket are real.
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Clock, sleep } from '../../base/clock.ts';
import { type Log, silentLog } from '../../base/log.ts';
import { type Paths, pathsOf } from '../disk/paths.ts';
import { systemClock } from '../process/system-clock.ts';
import { UserError } from '../process/user-error.ts';
import { killNode } from './end-node.ts';
import { Neighbour, type NeighbourOptions } from './neighbour.ts';
import { CONFIG, connectionOf } from './test-neighbour.ts';
import type { Behaviour } from './test-node-process.ts';

const NODE = connectionOf('node-1');
/** Waits of this length and longer are a tenth as long here. */
const LONG_MS = 10_000;
const LIMIT_MS = 20_000;

let data: string;
let paths: Paths;
/** What was logged, and how long was slept before a node process was started again. */
let said: string[];
/** How far time has been put forward. */
let aheadMs: number;
let open: Neighbour[];
let children: ChildProcess[];
/** A node process that is started holds no event loop open: in earnest the API does. */
let held: NodeJS.Timeout;

const log: Log = {
  ...silentLog,
  info: (message) => void said.push(message),
  warn: (message, fields) => void said.push(`${message} ${fields?.afterMs ?? ''}`),
  error: (message, error) => void said.push(`${message}: ${error instanceof Error ? error.message : error}`),
};
const clock: Clock = {
  now: () => systemClock.now() + aheadMs,
  after: (delayMs, action) => systemClock.after(delayMs < LONG_MS ? delayMs : delayMs / 10, action),
};

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'stead-neighbour-'));
  paths = pathsOf(data);
  mkdirSync(paths.run, { recursive: true, mode: 0o700 });
  said = [];
  aheadMs = 0;
  open = [];
  children = [];
  held = setInterval(() => {}, LIMIT_MS);
  writeFileSync(join(data, 'lives'), '');
  behave('works');
});
afterEach(async () => {
  await Promise.all(open.map((neighbour) => neighbour.close()));
  for (const child of children) child.kill('SIGKILL');
  await killNode(paths, systemClock);
  for (const directory of [data, paths.run]) rmSync(directory, { recursive: true, force: true });
  clearInterval(held);
});

function behave(how: Behaviour): void {
  writeFileSync(join(data, 'behaviour'), how);
}

async function prepare(over: Partial<NeighbourOptions> = {}): Promise<Neighbour> {
  const program = join(import.meta.dirname, 'test-node-process.js');
  const options = { paths, config: CONFIG, clock, log, logLevel: undefined, program, ...over };
  const neighbour = await Neighbour.prepare(options);
  open.push(neighbour);
  return neighbour;
}

async function begun(over: Partial<NeighbourOptions> = {}): Promise<Neighbour> {
  const neighbour = await prepare(over);
  await neighbour.begin(NODE);
  return neighbour;
}

/** What the node processes say has become of them, in order. */
function lives(): Array<{ pid: number; what: string }> {
  const lines = readFileSync(join(data, 'lives'), 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => ({ pid: Number.parseInt(line, 10), what: line.replace(/^\d+ /, '') }));
}
const told = (): string[] => lives().map(({ what }) => what);
const lastPid = (): number => lives().at(-1)?.pid ?? 0;

/** Whether a process runs; one whose end nobody has asked for yet does not. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const limit = systemClock.now() + LIMIT_MS; !holds(); await sleep(systemClock, 5)) {
    if (systemClock.now() > limit) throw new Error(`waited in vain for: ${what}; ${said.join('; ')}`);
  }
}
const startedAgain = (): number => said.filter((line) => line.includes('starting it again')).length;
const isReached = (neighbour: Neighbour): Promise<boolean> =>
  neighbour.listImages().then(
    () => true,
    () => false,
  );
async function reachedAgain(neighbour: Neighbour): Promise<void> {
  let reached = false;
  await until('the node process', () => {
    void isReached(neighbour).then((now) => {
      reached = now;
    });
    return reached;
  });
}

/** An API process of its own, which has got so far. */
async function apiProcess(word: 'prepared' | 'begun'): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'test-api-process.js'), [data]);
  children.push(child);
  for (;;) if ((await once(child, 'message'))[0] === word) return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

describe('a node process that is started', () => {
  it('waits for the API, works, and ends when it is closed', async () => {
    const neighbour = await prepare();
    await until('its start', () => lives().length > 0);
    assert.throws(() => neighbour.describe(), /has not begun/);
    await assert.rejects(neighbour.listImages(), /try again in a moment/);
    await neighbour.begin(NODE);
    assert.deepEqual(told(), ['starts', 'works as node-1']);
    assert.equal(neighbour.describe().dns, 'd');
    assert.ok(neighbour.streams('node-1'));
    assert.equal(neighbour.streams('node-2'), undefined);
    const pid = lastPid();
    await neighbour.close();
    assert.deepEqual(told(), ['starts', 'works as node-1', 'closes']);
    await until('its end', () => !isAlive(pid));
  });

  it('stops its pods when it is stopped; what stands in the way is told, and it goes on', async () => {
    behave('does not stop');
    const neighbour = await begun();
    await assert.rejects(neighbour.stop(), /a pod does not end/);
    assert.ok(isAlive(lastPid()));
    assert.ok(await isReached(neighbour));
    await neighbour.close();
    behave('works');
    const next = await begun();
    await next.stop();
    assert.equal(told().at(-1), 'stops');
    await until('its end', () => !isAlive(lastPid()));
  });

  it('tells why it cannot start, in its own words', async () => {
    behave('fails');
    const neighbour = await prepare();
    await assert.rejects(neighbour.begin(NODE), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.message, 'There is no network here.');
      return true;
    });
  });

  it('that dies at the start says how, and the next try is another process', async () => {
    behave('dies');
    const neighbour = await prepare();
    await assert.rejects(neighbour.begin(NODE), /ended while it started \(exit code 7\)/);
    behave('works');
    await neighbour.begin(NODE);
    assert.deepEqual(told(), ['starts', 'starts', 'works as node-1']);
  });

  it('that has not begun ends with its neighbour', async () => {
    behave('takes for ever');
    const neighbour = await prepare();
    const beginning = assert.rejects(neighbour.begin(NODE), /ended while it started \(SIGKILL\)/);
    await until('its start', () => lives().length > 0);
    const pid = lastPid();
    await neighbour.close();
    await beginning;
    await until('its end', () => !isAlive(pid));
  });
});

describe('a node process that works and dies', () => {
  it('is started again, as the same node', async () => {
    const neighbour = await begun();
    const first = lastPid();
    process.kill(first, 'SIGKILL');
    await until('its end to be seen', () => startedAgain() > 0);
    await reachedAgain(neighbour);
    assert.notEqual(lastPid(), first);
    assert.equal(told().at(-1), 'works as node-1');
  });

  it('again and again is waited for longer and longer, and begins with the shortest wait when it has lived', async () => {
    const neighbour = await begun();
    behave('dies');
    process.kill(lastPid(), 'SIGKILL');
    await until('four more deaths', () => startedAgain() >= 4);
    const waits = () => said.filter((line) => line.includes('again ')).map((line) => line.split(' ').at(-1));
    assert.deepEqual(waits().slice(0, 4), ['100', '200', '400', '800']);
    assert.ok(
      said.includes(
        'the node process cannot be started again: the node process ended while it started (exit code 7)',
      ),
    );
    behave('works');
    await reachedAgain(neighbour);
    said.length = 0;
    aheadMs += 61_000;
    process.kill(lastPid(), 'SIGKILL');
    await until('another start', () => startedAgain() > 0);
    assert.deepEqual(waits(), ['100']);
  });

  it('has the API as it is by then', async () => {
    const neighbour = await begun();
    await neighbour.reconnect(connectionOf('node-2'));
    process.kill(lastPid(), 'SIGKILL');
    await until('its end to be seen', () => startedAgain() > 0);
    await reachedAgain(neighbour);
    assert.equal(told().at(-1), 'works as node-2');
  });

  it('is not started again once its neighbour is closed', async () => {
    const neighbour = await begun();
    process.kill(lastPid(), 'SIGKILL');
    await neighbour.close();
    const before = lives().length;
    await sleep(clock, 500);
    assert.equal(lives().length, before);
  });

  it('is waited for by a stop that comes meanwhile', async () => {
    const neighbour = await begun();
    process.kill(lastPid(), 'SIGKILL');
    await until('its end to be seen', () => startedAgain() > 0);
    await neighbour.stop();
    assert.equal(told().at(-1), 'stops');
  });

  it('without ending, because it hangs, is killed and started again', async () => {
    const neighbour = await begun();
    const first = lastPid();
    process.kill(first, 'SIGSTOP');
    await until('its end', () => !isAlive(first));
    assert.ok(said.includes('the node process hangs and is killed: no answer within 20 s'));
    await reachedAgain(neighbour);
    assert.notEqual(lastPid(), first);
  });
});

describe('a node process that is to stop its pods', () => {
  it('and dies before it has, is started again, and asked again', async () => {
    const neighbour = await begun();
    const first = lastPid();
    process.kill(first, 'SIGSTOP');
    const stopped = neighbour.stop();
    process.kill(first, 'SIGKILL');
    await stopped;
    assert.equal(told().at(-1), 'stops');
    assert.notEqual(lastPid(), first);
    await until('its end', () => !isAlive(lastPid()));
  });
});

describe('a node process whose API process dies', () => {
  it('goes on, and the next API process takes it over', async () => {
    await kill(await apiProcess('begun'));
    const pid = lastPid();
    assert.ok(isAlive(pid));
    const neighbour = await begun();
    assert.deepEqual(told(), ['starts', 'works as node-1']);
    assert.ok(said.includes('going on with the node process that runs already'));
    assert.equal(neighbour.describe().volumes, 'v');
    process.kill(pid, 'SIGKILL');
    await until('its end to be seen', () => startedAgain() > 0);
    await reachedAgain(neighbour);
    assert.notEqual(lastPid(), pid);
  });

  it('while it starts, ends with it', async () => {
    behave('takes for ever');
    const api = await apiProcess('prepared');
    await until('its start', () => lives().length > 0);
    await kill(api);
    await until('its end', () => !isAlive(lastPid()));
    await killNode(paths, systemClock);
  });

  it('is left alone by one that ends before it has begun', async () => {
    await kill(await apiProcess('begun'));
    const neighbour = await prepare();
    await neighbour.close();
    assert.ok(isAlive(lastPid()));
    assert.deepEqual(told(), ['starts', 'works as node-1']);
  });

  it('is ended by one that is configured otherwise, and another begins', async () => {
    await kill(await apiProcess('begun'));
    const first = lastPid();
    await begun({ config: { ...CONFIG, domain: 'other.local' } });
    assert.ok(said.includes('ending a node process that runs otherwise'));
    assert.deepEqual(told(), ['starts', 'works as node-1', 'closes', 'starts', 'works as node-1']);
    await until('its end', () => !isAlive(first));
  });

  it('is ended by one that is another node', async () => {
    await kill(await apiProcess('begun'));
    const first = lastPid();
    const neighbour = await prepare();
    await neighbour.begin(connectionOf('node-2'));
    assert.equal(told().at(-1), 'works as node-2');
    await until('its end', () => !isAlive(first));
    assert.ok(neighbour.streams('node-2'));
  });

  it('that has died since it was found is started anew', async () => {
    await kill(await apiProcess('begun'));
    const neighbour = await prepare();
    process.kill(lastPid(), 'SIGKILL');
    await neighbour.begin(NODE);
    assert.deepEqual(told(), ['starts', 'works as node-1', 'starts', 'works as node-1']);
  });
});
