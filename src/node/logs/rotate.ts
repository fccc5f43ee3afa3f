// Keeps container logs from filling the disk: a log larger than 10 MiB is moved aside, and the newest five files of
// a container are kept (kubelet logs/container_log_manager.go).
import { rename, rm, stat } from 'node:fs/promises';
import { eachByItself } from '../../base/each-by-itself.ts';
import type { NodeServices } from '../pods/do/node-services.ts';
import type { PodManager } from '../pods/do/pod-manager.ts';
import { podLogDirectory } from '../pods/spec/sandbox-spec.ts';
import { rotatedLogs } from './read-log.ts';

const MAX_BYTES = 10 * 1024 * 1024;
const MAX_FILES = 5;
const AT_ONCE = 8;

/** Where a container's log is written. */
export function logPath(
  logDirectory: string,
  pod: { namespace: string; name: string; uid: string },
  container: string,
  attempt: number,
): string {
  return `${podLogDirectory(logDirectory, pod)}/${container}/${attempt}.log`;
}

/** Rotates the logs of all running containers that have grown too large, each by itself. */
export async function rotateLogs(services: NodeServices, manager: PodManager): Promise<void> {
  const { clock, log, logDirectory, runtime } = services;
  if (runtime.reopenLog === undefined) return;
  const logs = [...manager.workers()].flatMap(({ pod, state }) => {
    const { namespace = '', name, uid } = pod.metadata;
    return [...state.containers.values()]
      .filter((container) => container.state === 'running')
      .map(({ attempt, id, name: container }) => ({
        id,
        path: logPath(logDirectory, { namespace, name, uid }, container, attempt),
      }));
  });
  await eachByItself(
    logs,
    AT_ONCE,
    ({ id, path }) => rotateLog(path, clock.now(), async () => runtime.reopenLog?.(id)),
    (error, { path }) => log.error('rotating a log failed, trying again', error, { path }),
  );
}

/** Rotates one log if it is too large. `reopen` makes the runtime write to a new file at the old path. */
export async function rotateLog(path: string, nowMs: number, reopen: () => Promise<void>): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.size < MAX_BYTES) return;
  const old = await rotatedLogs(path);
  for (const surplus of old.slice(0, Math.max(0, old.length - (MAX_FILES - 2))))
    await rm(surplus, { force: true });
  const stamp = new Date(nowMs).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 19);
  const aside = `${path}.${stamp}`;
  await rename(path, aside);
  try {
    await reopen();
  } catch (error) {
    await rename(aside, path);
    throw error;
  }
}
