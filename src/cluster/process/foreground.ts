// Runs stead in this process until it is told to stop. TERM and INT end the process and leave every container
// running, for the next stead to adopt; `stead down`, which comes over the control socket, stops those too.
import { fstatSync, statSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { aborted } from '../../base/abort.ts';
import { sleep } from '../../base/clock.ts';
import { errorText } from '../../base/error-text.ts';
import type { Log } from '../../base/log.ts';
import { rotateOpenFile } from '../../node/logs/rotate-open-file.ts';
import { type ClusterConfig, type RunningCluster, startCluster } from '../cluster.ts';
import { prepareDataDirectory } from '../disk/data-directory.ts';
import { type Paths, pathsOf } from '../disk/paths.ts';
import { alreadyRuns, type ProcessInfo, processInfo, serveControl } from './control-socket.ts';
import { tendHeap } from './heap.ts';
import { standardOutput } from './log-output.ts';
import { withoutRepeats } from './log-repeats.ts';
import { type LogLevel, logTo } from './log-writer.ts';
import { preflight } from './preflight.ts';
import { systemClock } from './system-clock.ts';
import { UserError } from './user-error.ts';
import { VERSION } from './version.ts';

/**
 * Resolves when stead has ended.
 * @param logLevel what is less than this is not logged.
 * @param onReady called when the API answers.
 * @throws UserError if it cannot start.
 */
export async function runForeground(
  config: ClusterConfig,
  logLevel: LogLevel,
  onReady: () => Promise<void>,
): Promise<void> {
  const paths = pathsOf(config.dataDirectory);
  const log = withoutRepeats(logTo(standardOutput(), logLevel, systemClock.now), systemClock);
  const stop = new AbortController();
  let start: (cluster: RunningCluster) => void = () => {};
  // Commands that come while stead starts wait for it.
  const started = new Promise<RunningCluster>((resolve) => {
    start = resolve;
  });
  const describe = async (): Promise<ProcessInfo> => ({
    pid: process.pid,
    version: VERSION,
    ...(await started).describe(),
  });
  let cluster: RunningCluster | undefined;
  let closeControl: (() => Promise<void>) | undefined;
  const onSignal = (): void => stop.abort();
  const heap = tendHeap(systemClock, stop.signal);
  try {
    await refuseSecond(paths);
    await preflight(config);
    await prepareDataDirectory(paths);
    closeControl = await serveControl(paths.controlSocket, {
      info: describe,
      down: async (say) => {
        await (await started).stopEverything(say);
        stop.abort();
      },
      loadImage: async (file, signal) => (await started).loadImage(file, signal),
      listImages: async () => (await started).listImages(),
    });
    process.once('SIGTERM', onSignal);
    process.once('SIGINT', onSignal);
    cluster = await inTime(startCluster({ ...config, nodeLogLevel: logLevel }, log), paths);
    start(cluster);
    tellParent({ ready: await describe() });
    await onReady();
    await Promise.all([aborted(stop.signal), boundLog(paths.log, log, stop.signal)]);
  } catch (error) {
    const message = errorText(error);
    tellParent({
      failed: error instanceof UserError ? message : `stead cannot go on: ${message} (see ${paths.log}).`,
    });
    throw error;
  } finally {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
    await cluster?.close();
    await closeControl?.();
    stop.abort();
    await heap;
    // Only if nothing is left there for the next start to find.
    await rmdir(paths.run).catch(() => {});
    log.info('stead has ended', { pid: process.pid });
    log.close();
  }
}

/** @throws UserError if a stead runs on the data directory: its port is then no surprise. */
async function refuseSecond(paths: Paths): Promise<void> {
  const running = await processInfo(paths.controlSocket);
  if (running) throw alreadyRuns(running);
}

/** How long a start may take at most, whatever it waits for. */
const START_LIMIT_MS = 5 * 60_000;

/** Whoever waits for this stead waits for an end. */
function inTime<T>(starting: Promise<T>, paths: Paths): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = systemClock.after(START_LIMIT_MS, () =>
      reject(
        new UserError(
          `stead did not come up within ${START_LIMIT_MS / 60_000} minutes and ends: ${paths.log} says how far it came.`,
        ),
      ),
    );
    starting.then(resolve, reject).finally(cancel);
  });
}

/** Tells the command that started this process, if it still listens: it may have been interrupted. */
function tellParent(message: { ready: ProcessInfo } | { failed: string }): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

const LOG_LIMIT = { maxBytes: 10 * 1024 * 1024, backups: 3 };
const LOG_LOOK_MS = 5_000;

/** In the background this process writes to a file of its own, which must not grow for ever. */
async function boundLog(file: string, log: Log, signal: AbortSignal): Promise<void> {
  const output = fstatSync(process.stdout.fd);
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.ino !== output.ino || found.dev !== output.dev) return;
  while (!signal.aborted) {
    try {
      rotateOpenFile(file, LOG_LIMIT);
    } catch (error) {
      log.error('the log cannot be set aside', error);
    }
    await sleep(systemClock, LOG_LOOK_MS, signal);
  }
}
