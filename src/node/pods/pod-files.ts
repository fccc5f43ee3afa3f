// The agent's own files of a pod: its /etc/hosts and the files for its containers' last words. Volumes are not
// here. The simulated node has none of them.
import { mkdir, open, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** How much of a termination message is kept, in bytes (upstream's MaxContainerTerminationMessageLength). */
const MAX_MESSAGE_BYTES = 4096;
/** How much of a log stands in for a termination message. */
const MAX_FALLBACK_BYTES = 2048;
const MAX_FALLBACK_LINES = 80;

export interface PodFiles {
  /** Writes the pod's /etc/hosts and returns where it lies; undefined: the runtime's own is used. */
  hosts(podUid: string, content: string): Promise<string | undefined>;
  /** Makes an empty file for what a container writes as its last words. */
  terminationLog(podUid: string, container: string, attempt: number): Promise<string | undefined>;
  /** What was written to it; empty if nothing was. */
  readTerminationLog(podUid: string, container: string, attempt: number): Promise<string>;
  /** The end of a container's log, for terminationMessagePolicy FallbackToLogsOnError. */
  logTail(path: string): Promise<string>;
  /** Makes a directory inside a volume, for a subPath. Throws if a link leads out of the volume. */
  ensureInside(volume: string, path: string): Promise<void>;
  /** Removes all of the pod's, its logs too. Idempotent. */
  remove(podUid: string, logDirectory: string): Promise<void>;
}

/** Keeps them in `<dataDirectory>/pod-files/<uid>/`. */
export function podFiles(dataDirectory: string): PodFiles {
  const directoryOf = (uid: string): string => join(dataDirectory, 'pod-files', uid);
  const terminationPath = (uid: string, container: string, attempt: number): string =>
    join(directoryOf(uid), 'termination', container, String(attempt));
  return {
    async hosts(podUid, content) {
      const path = join(directoryOf(podUid), 'etc-hosts');
      await mkdir(dirname(path), { recursive: true, mode: 0o755 });
      // Written in place: running containers have this very file mounted.
      await writeFile(path, content, { mode: 0o644 });
      return path;
    },
    async terminationLog(podUid, container, attempt) {
      const path = terminationPath(podUid, container, attempt);
      await mkdir(dirname(path), { recursive: true, mode: 0o755 });
      const file = await open(path, 'w', 0o666);
      // The mode above is cut by the umask; any user of the container may write here.
      await file.chmod(0o666);
      await file.close();
      return path;
    },
    async readTerminationLog(podUid, container, attempt) {
      try {
        const text = await readFile(terminationPath(podUid, container, attempt));
        return text.subarray(0, MAX_MESSAGE_BYTES).toString('utf8');
      } catch {
        return '';
      }
    },
    async logTail(path) {
      try {
        const lines = (await readFile(path, 'utf8')).split('\n').slice(-MAX_FALLBACK_LINES - 1);
        const messages = lines.map((line) => /^\S+ \S+ \S+ (.*)$/.exec(line)?.[1]);
        return messages
          .filter((line) => line !== undefined)
          .join('\n')
          .slice(-MAX_FALLBACK_BYTES);
      } catch {
        return '';
      }
    },
    async ensureInside(volume, path) {
      const root = await realpath(volume);
      const existing = await nearestExisting(path);
      if (existing !== root && !existing.startsWith(`${root}/`)) {
        throw new Error(`subPath ${path} leads out of its volume through a symbolic link`);
      }
      try {
        await realpath(path);
      } catch {
        await mkdir(path, { recursive: true, mode: 0o750 });
      }
    },
    async remove(podUid, logDirectory) {
      await rm(directoryOf(podUid), { recursive: true, force: true });
      await rm(logDirectory, { recursive: true, force: true });
    },
  };
}

async function nearestExisting(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    try {
      return await realpath(at);
    } catch {
      if (at === dirname(at)) return at;
    }
  }
}
