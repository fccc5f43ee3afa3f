// The agent's own files of a pod: its /etc/hosts and the files for its containers' last words. Volumes are not
// here. The simulated node has none of them.
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { endOfLog, rotatedLogs } from '../../logs/read-log.ts';
import { readTail } from '../../machine/read-tail.ts';

/** How much of a termination message is kept, in bytes: its end (upstream's MaxContainerTerminationMessageLength). */
const MAX_MESSAGE_BYTES = 4096;
/** How much of a log stands in for a termination message (upstream's MaxContainerTerminationMessageLog…). */
const MAX_FALLBACK_BYTES = 2048;
const MAX_FALLBACK_LINES = 80;

/** Containers have the files themselves mounted; the machine's users have no business with them. */
const FOR_US = 0o700;

export interface PodFiles {
  /** What the machine's own /etc/hosts says. */
  machineHosts(): Promise<string>;
  /** Writes the pod's /etc/hosts and returns where it lies; undefined: the runtime's own is used. */
  hosts(podUid: string, content: string): Promise<string | undefined>;
  /** Makes an empty file for what a container writes as its last words. */
  terminationLog(podUid: string, container: string, attempt: number): Promise<string | undefined>;
  /** The end of what was written to it; empty if nothing was. */
  readTerminationLog(podUid: string, container: string, attempt: number): Promise<string>;
  /** The end of a container's log, for terminationMessagePolicy FallbackToLogsOnError. */
  logTail(path: string): Promise<string>;
  /** Removes what one run of a container has left: its last words and its logs. Idempotent. */
  removeRun(podUid: string, logDirectory: string, container: string, attempt: number): Promise<void>;
  /** Removes all of the pod's, its logs too. Idempotent. */
  remove(podUid: string, logDirectory: string): Promise<void>;
}

/** Keeps them in `<dataDirectory>/pod-files/<uid>/`. */
export function podFiles(dataDirectory: string): PodFiles {
  const directoryOf = (uid: string): string => join(dataDirectory, 'pod-files', uid);
  const terminationPath = (uid: string, container: string, attempt: number): string =>
    join(directoryOf(uid), 'termination', container, String(attempt));
  return {
    machineHosts: () => readFile('/etc/hosts', 'utf8'),
    async hosts(podUid, content) {
      const path = join(directoryOf(podUid), 'etc-hosts');
      await mkdir(dirname(path), { recursive: true, mode: FOR_US });
      // Written in place: running containers have this very file mounted.
      await writeFor(path, content, 0o644);
      return path;
    },
    async terminationLog(podUid, container, attempt) {
      const path = terminationPath(podUid, container, attempt);
      await mkdir(dirname(path), { recursive: true, mode: FOR_US });
      // Any user of the container may write here.
      await writeFor(path, '', 0o666);
      return path;
    },
    async readTerminationLog(podUid, container, attempt) {
      const path = terminationPath(podUid, container, attempt);
      const end = await readTail(path, MAX_MESSAGE_BYTES).catch(() => undefined);
      return end?.toString('utf8') ?? '';
    },
    async logTail(path) {
      const end = await endOfLog(path, MAX_FALLBACK_LINES, MAX_FALLBACK_BYTES).catch(() => undefined);
      return end?.toString('utf8') ?? '';
    },
    async removeRun(podUid, logDirectory, container, attempt) {
      await rm(terminationPath(podUid, container, attempt), { force: true });
      const log = join(logDirectory, container, `${attempt}.log`);
      for (const path of [log, ...(await rotatedLogs(log))]) await rm(path, { force: true });
    },
    async remove(podUid, logDirectory) {
      await rm(directoryOf(podUid), { recursive: true, force: true });
      await rm(logDirectory, { recursive: true, force: true });
    },
  };
}

/** Writes a file that users of a container open: its mode is not cut by the umask. */
async function writeFor(path: string, content: string, mode: number): Promise<void> {
  const file = await open(path, 'w', mode);
  try {
    await file.chmod(mode);
    await file.writeFile(content);
  } finally {
    await file.close();
  }
}
