// One stead process for a benchmark, on a data directory of its own, started as `stead up` starts it, and timed from the
// moment before it is spawned.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathsOf } from '../src/cluster/disk/paths.ts';
import { API_PROCESS_FLAGS } from '../src/cluster/process/node-flags.ts';

const CLI = join(import.meta.dirname, '..', 'bin', 'stead.js');
const POLL_MS = 2;

export type RuntimeName = 'containerd' | 'simulated';

export interface RunningStead {
  dataDirectory: string;
  kubeconfig: string;
  pid: number;
  /** From before the process was spawned until /readyz answered 200, in ms. */
  readyMs: number;
  /** Ends the process (TERM) and waits for it. */
  end(): Promise<void>;
}

/** A directory for `startStead`; `removeStead` takes it away with all that stead made. */
export const newDataDirectory = (): string => mkdtempSync(join(tmpdir(), 'stead-bench-'));

export async function startStead(
  dataDirectory: string,
  runtime: RuntimeName,
  more: readonly string[] = [],
): Promise<RunningStead> {
  const port = await freePort();
  const args = [
    CLI,
    'up',
    '--foreground',
    '--data-dir',
    dataDirectory,
    '--port',
    `${port}`,
    '--runtime',
    runtime,
    ...more,
  ];
  // Reading a machine's extra certificates costs every Node process some 100 ms, which is not stead's.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const startedMs = performance.now();
  // So that `node --cpu-prof dist/bench/….js` profiles stead as well.
  const child = spawn(process.execPath, [...API_PROCESS_FLAGS, ...process.execArgv, ...args], {
    stdio: 'ignore',
    env,
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const readyMs = (await readyAt(port, child)) - startedMs;
  const kubeconfig = join(dataDirectory, 'kubeconfig');
  // Written right after the port has opened.
  while (!existsSync(kubeconfig) && child.exitCode === null)
    await new Promise((again) => setTimeout(again, POLL_MS));
  return {
    dataDirectory,
    kubeconfig,
    pid: child.pid ?? 0,
    readyMs,
    async end() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

export function removeStead(dataDirectory: string): void {
  stead(dataDirectory, 'down', '--purge');
  rmSync(dataDirectory, { recursive: true, force: true });
}

/** Runs a stead command to its end. */
export function stead(dataDirectory: string, ...args: string[]): string {
  return execFileSync(process.execPath, [CLI, ...args, '--data-dir', dataDirectory], { encoding: 'utf8' });
}

/** Resident memory of a process, in MiB. */
export const residentMib = (pid: number): number => memoryMib(pid).all;

/** Resident memory of a process, in MiB: all, its own (anonymous), and of files that it has mapped, as the store. */
export function memoryMib(pid: number): { all: number; own: number; file: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (field: string): number =>
    Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  return { all: mib('VmRSS'), own: mib('RssAnon'), file: mib('RssFile') };
}

/** What a stead on real containers weighs, its API process and its node process, for people. */
export function weightOf({ dataDirectory, pid }: Pick<RunningStead, 'dataDirectory' | 'pid'>): string {
  const lock = pathsOf(dataDirectory).nodeLock;
  const api = memoryMib(pid);
  if (!existsSync(lock)) return `${api.all.toFixed(0)} MiB`;
  const node = memoryMib(Number(readFileSync(lock, 'utf8')));
  // They share the pages of the program that both run.
  const together = api.own + node.own + Math.max(api.file, node.file);
  return `${together.toFixed(0)} MiB (API ${api.all.toFixed(0)} MiB, node ${node.all.toFixed(0)} MiB, what both share counted once)`;
}

/** CPU time that a process has used so far. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  // Fields 14 and 15 of proc(5), counted from behind the command; in ticks of 10 ms.
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function readyAt(port: number, child: ChildProcess): Promise<number> {
  const agent = new Agent({ rejectUnauthorized: false, keepAlive: true });
  try {
    while (child.exitCode === null) {
      if (await answers(port, agent)) return performance.now();
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    throw new Error(`stead ended with ${child.exitCode} before it was ready`);
  } finally {
    agent.destroy();
  }
}

function answers(port: number, agent: Agent): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/readyz', agent }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode === 200));
    });
    request.once('error', () => resolve(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
