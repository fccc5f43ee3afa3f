// Starts, adopts and stops stead's own containerd. It runs in a session of its own and outlives stead, so that
// containers go on when stead is killed; the next stead finds it by its pid file and goes on with it.
import { spawn } from 'node:child_process';
import { mkdir, open, readFile, realpath, rm, rmdir, writeFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { type Clock, sleep } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { rotateOpenFile } from '../logs/rotate-open-file.ts';
import { programEnvironment, runCommand } from '../machine/command.ts';
import { unmountBelow } from '../machine/mounts.ts';
import { readTail } from '../machine/read-tail.ts';
import { containerdConfig, mayLowerOomScore } from './config.ts';
import { criAnswers } from './cri-answers.ts';
import { type ContainerPrograms, findContainerPrograms } from './programs.ts';
import { killShims, listProcesses, readProcess, sendSignal, shimsOf } from './shims.ts';

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;
const POLL_MS = 20;
/** How often it is looked whether containerd still runs; after failed starts, seldomer. */
const WATCH_MS = 1000;
const MAX_RETRY_MS = 60_000;
const LOG_LIMIT = { maxBytes: 16 * 1024 * 1024, backups: 1 };
/** Its last line lies within the end of it. */
const LAST_WORDS_BYTES = 4096;

export interface ContainerdOptions {
  /** Everything that lasts: containerd's content goes to `containerd/`, mirrors to `registry/certs.d/`. */
  dataDirectory: string;
  /** Of this instance of stead: `/run/stead/default`. Short: a socket's path has at most 107 bytes. */
  runDirectory: string;
  /** Where the network's configuration lies, the only file in it. */
  cniConfDirectory: string;
  /** The image of every pod's first container; it is loaded separately. */
  sandboxImage: string;
  log: Log;
  clock: Clock;
}

export interface ContainerdHandle {
  /** The path of the socket that serves CRI and containerd's own API. */
  socket: string;
  /** Where it keeps what lasts until the next boot. */
  stateDirectory: string;
  /** Of the process that runs now. */
  readonly pid: number;
  /** Where images and containers' own files lie. */
  contentDirectory: string;
  programs: ContainerPrograms;
  /** Whether it was running already, with its containers. */
  adopted: boolean;
  /**
   * Starts containerd again whenever it has ended by itself; pods do not notice. Runs until the signal; to be
   * ended before `stop`.
   */
  keepRunning(signal: AbortSignal): Promise<void>;
  /**
   * Ends containerd. Pods that still run go on without it, and it is then left to the next start to find them;
   * if there are none, nothing of it is left but its content: no process, socket or mount.
   */
  stop(): Promise<void>;
}

interface Places {
  config: string;
  pidFile: string;
  logFile: string;
  socket: string;
  rootDirectory: string;
  runDirectory: string;
}

const stateOf = ({ runDirectory }: Places): string => join(runDirectory, 'state');

/**
 * Makes sure that stead's containerd runs and answers.
 * @throws MissingPrerequisiteError when this machine lacks something; Error with containerd's own last words when
 *   it does not come up.
 */
export async function startContainerd(options: ContainerdOptions): Promise<ContainerdHandle> {
  const programs = await findContainerPrograms();
  const places = await preparePlaces(options);
  await mkdir(options.cniConfDirectory, { recursive: true });
  const config = containerdConfig({
    rootDirectory: places.rootDirectory,
    stateDirectory: stateOf(places),
    socket: places.socket,
    sandboxImage: options.sandboxImage,
    runcPath: programs.runc,
    cniBinDirectory: programs.cniBinDirectory,
    cniConfDirectory: options.cniConfDirectory,
    registryDirectory: join(options.dataDirectory, 'registry', 'certs.d'),
    mayLowerOomScore: mayLowerOomScore(await readFile('/proc/self/status', 'utf8')),
  });
  const running = await runningContainerd(places);
  const sameConfig = (await readFile(places.config, 'utf8').catch(() => '')) === config;
  const { clock, log } = options;
  if (
    running !== undefined &&
    sameConfig &&
    (await criAnswers(places.socket, clock.now() + START_LIMIT_MS))
  ) {
    log.info('going on with the containerd that runs already', { pid: running });
    return handle(running, true);
  }
  // Containers do not notice that their containerd is restarted.
  if (running !== undefined) await endProcess(running, clock);
  await writeFile(places.config, config);
  const pid = await launch(programs.containerd, places, clock);
  log.info('containerd started', { pid, socket: places.socket });
  return handle(pid, false);

  function boundLog(): void {
    try {
      rotateOpenFile(places.logFile, LOG_LIMIT);
    } catch (error) {
      log.error('the log of containerd cannot be set aside', error);
    }
  }

  function handle(firstPid: number, adopted: boolean): ContainerdHandle {
    let pid = firstPid;
    return {
      socket: places.socket,
      contentDirectory: places.rootDirectory,
      stateDirectory: stateOf(places),
      programs,
      adopted,
      get pid() {
        return pid;
      },
      async keepRunning(signal) {
        for (let delayMs = WATCH_MS; ; ) {
          await sleep(clock, delayMs, signal);
          if (signal.aborted) return;
          boundLog();
          if ((await runningContainerd(places)) !== undefined) continue;
          log.warn('containerd has ended by itself; starting it again');
          try {
            pid = await launch(programs.containerd, places, clock);
            delayMs = WATCH_MS;
          } catch (error) {
            log.error('containerd cannot be started again', error);
            delayMs = Math.min(delayMs * 2, MAX_RETRY_MS);
          }
        }
      },
      stop: () => stop(places, clock, log),
    };
  }
}

/**
 * For a purge, when pods could not be taken down in order: ends containerd, its shims and the containers below
 * them, and unmounts what they leave. Needs none of containerd's programs. Idempotent.
 */
export async function endContainerd(
  options: Pick<ContainerdOptions, 'dataDirectory' | 'runDirectory' | 'clock' | 'log'>,
): Promise<void> {
  const { clock, log } = options;
  const places = await preparePlaces(options);
  const running = await runningContainerd(places);
  if (running !== undefined) await endProcess(running, clock);
  await killShims(places.socket);
  for (const { pid } of shimsOf(await listProcesses(), places.socket)) await endProcess(pid, clock);
  await stop(places, clock, log);
}

async function preparePlaces(
  options: Pick<ContainerdOptions, 'dataDirectory' | 'runDirectory'>,
): Promise<Places> {
  const runDirectory = join(options.runDirectory, 'containerd');
  const rootDirectory = join(options.dataDirectory, 'containerd');
  await mkdir(runDirectory, { recursive: true, mode: 0o711 });
  await mkdir(rootDirectory, { recursive: true, mode: 0o711 });
  await mkdir(join(options.dataDirectory, 'registry', 'certs.d'), { recursive: true });
  // Mount points are compared with what the kernel says, which knows no symbolic links.
  const run = await realpath(runDirectory);
  return {
    config: join(run, 'config.toml'),
    pidFile: join(run, 'containerd.pid'),
    logFile: join(options.dataDirectory, 'containerd.log'),
    socket: join(run, 'containerd.sock'),
    rootDirectory: await realpath(rootDirectory),
    runDirectory: run,
  };
}

/** The process in the pid file, if it is alive and really ours: process ids are used again. */
async function runningContainerd(places: Places): Promise<number | undefined> {
  const pid = Number(await readFile(places.pidFile, 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const found = await readProcess(pid);
  return found?.args.includes(places.config) ? pid : undefined;
}

async function launch(program: string, places: Places, clock: Clock): Promise<number> {
  rotateOpenFile(places.logFile, LOG_LIMIT);
  const output = await open(places.logFile, 'a');
  let ended: string | undefined;
  try {
    // Containers are not preferred to the rest of the machine, whatever this process is.
    const niceness = Math.max(0, -getPriority());
    const child = spawn('nice', ['-n', `${niceness}`, program, '--config', places.config], {
      detached: true,
      env: programEnvironment(),
      cwd: '/',
      stdio: ['ignore', output.fd, output.fd],
    });
    child.on('error', (error) => {
      ended = error.message;
    });
    child.on('exit', (code, signal) => {
      ended = `it ended with ${signal ?? `exit code ${code}`}`;
    });
    child.unref();
    if (child.pid !== undefined) {
      await writeFile(places.pidFile, `${child.pid}\n`);
      const limit = clock.now() + START_LIMIT_MS;
      while (ended === undefined && clock.now() < limit) {
        if (await criAnswers(places.socket, clock.now() + 1000)) return child.pid;
        await sleep(clock, POLL_MS);
      }
      if (ended === undefined) await endProcess(child.pid, clock);
    }
  } finally {
    await output.close();
  }
  const why = ended ?? `it did not answer within ${START_LIMIT_MS / 1000} seconds`;
  throw new Error(
    `containerd did not start: ${why}; its last words: ${await lastLine(places.logFile)} (see ${places.logFile})`,
  );
}

async function lastLine(file: string): Promise<string> {
  const text = await readTail(file, LAST_WORDS_BYTES).catch(() => '');
  return text.toString().trimEnd().split('\n').at(-1) || 'none';
}

async function stop(places: Places, clock: Clock, log: Log): Promise<void> {
  const running = await runningContainerd(places);
  if (running !== undefined) await endProcess(running, clock);
  const shims = shimsOf(await listProcesses(), places.socket);
  if (shims.length > 0) {
    log.warn('containerd ended while pods were running; they go on', { pods: shims.length });
    return;
  }
  await unmountBelow(runCommand, places.runDirectory);
  await unmountBelow(runCommand, places.rootDirectory);
  await rm(places.runDirectory, { recursive: true, force: true });
  await removeEmptyShared();
}

/**
 * containerd 1.6 and its client make these whatever their configuration says. The machine's own containerd may use
 * them, too: only what is empty goes.
 */
async function removeEmptyShared(): Promise<void> {
  for (const directory of ['s', 'fifo', '']) {
    await rmdir(join('/run/containerd', directory)).catch(() => {});
  }
}

/** TERM, then KILL; resolves when the process is gone. */
async function endProcess(pid: number, clock: Clock): Promise<void> {
  const killAt = clock.now() + STOP_LIMIT_MS;
  let signal: NodeJS.Signals | undefined = 'SIGTERM';
  while (await readProcess(pid)) {
    if (clock.now() >= killAt) signal = 'SIGKILL';
    if (signal) sendSignal(pid, signal);
    signal = undefined;
    await sleep(clock, POLL_MS);
  }
}
