// Runs stead in this process until it is told to stop. TERM and INT end the process and leave every container
// running, for the next stead to adopt; `stead down`, which comes over the control socket, stops those too.
import { rmdir } from 'node:fs/promises';
import { type ClusterConfig, type RunningCluster, startCluster } from './cluster.ts';
import { type ProcessInfo, serveControl } from './control-socket.ts';
import { prepareDataDirectory } from './data-directory.ts';
import { logTo } from './log-writer.ts';
import { pathsOf } from './paths.ts';
import { UserError } from './user-error.ts';
import { VERSION } from './version.ts';

/**
 * Resolves when stead has ended.
 * @param onReady called when the API answers.
 * @throws UserError if it cannot start.
 */
export async function runForeground(config: ClusterConfig, onReady: () => Promise<void>): Promise<void> {
  const paths = pathsOf(config.dataDirectory);
  const log = logTo((line) => process.stdout.write(line), 'info', Date.now);
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
  try {
    await prepareDataDirectory(paths);
    // The socket is the lock of the data directory, so it comes first.
    closeControl = await serveControl(paths.controlSocket, {
      info: describe,
      down: async (say) => {
        await (await started).stopEverything(say);
        stop.abort();
      },
      loadImage: async (file) => (await started).loadImage(file),
      listImages: async () => (await started).listImages(),
    });
    process.once('SIGTERM', onSignal);
    process.once('SIGINT', onSignal);
    cluster = await startCluster(config, log);
    start(cluster);
    process.send?.({ ready: await describe() });
    await onReady();
    await aborted(stop.signal);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.send?.({
      failed: error instanceof UserError ? message : `stead cannot go on: ${message} (see ${paths.log}).`,
    });
    throw error;
  } finally {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
    await cluster?.close();
    await closeControl?.();
    // Only if nothing is left there for the next start to find.
    await rmdir(paths.run).catch(() => {});
    log.info('stead has ended', { pid: process.pid });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
