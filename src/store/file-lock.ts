// A lock that one process on the machine has at a time, kept by the kernel (flock(2)): it goes with the process however
// that dies, and no file that is left behind locks anybody out. Node has no call for it, so util-linux's flock(1) makes
// it on a descriptor that it is handed; such a lock belongs to the open file, and stays ours when flock(1) has ended.
// Programs that are started while it is held do not inherit it: Node's descriptors are closed on exec.
import { spawn } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';

/** Somebody else has the lock. */
export class LockedError extends Error {
  /** The process that has it; undefined if it has not said so yet. */
  readonly pid: number | undefined;

  constructor(file: string, pid: number | undefined) {
    super(`${file} is locked by ${pid === undefined ? 'another process' : `process ${pid}`}`);
    this.name = 'LockedError';
    this.pid = pid;
  }
}

export interface FileLock {
  /** Gives it back, and removes the file. Idempotent. */
  release(): void;
}

/**
 * Locks a file, which is made if it is not there and then says which process has the lock.
 * @param waitSeconds how long to wait for whoever has it; whole seconds.
 * @throws LockedError if another has it; Error if the file cannot be made or this machine has no flock(1).
 */
export async function lockFile(file: string, waitSeconds = 0): Promise<FileLock> {
  for (;;) {
    const descriptor = openSync(file, 'a+', 0o600);
    try {
      if (!(await flock(descriptor, waitSeconds))) throw new LockedError(file, holderOf(file));
      // Whoever had it may have removed the file in the meantime: a lock on what has no name locks nobody out.
      if (isSameFile(descriptor, file)) {
        sign(descriptor);
        return held(descriptor, file);
      }
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    closeSync(descriptor);
  }
}

/** For people and for `stead down`; the lock itself does not depend on it, and is good on a full disk, too. */
function sign(descriptor: number): void {
  try {
    ftruncateSync(descriptor);
    writeSync(descriptor, `${process.pid}\n`);
  } catch {
    // Nobody is told who has it.
  }
}

/** The process that a locked file names; undefined if it names none. */
function holderOf(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function held(descriptor: number, file: string): FileLock {
  let released = false;
  return {
    release() {
      if (released) return;
      released = true;
      rmSync(file, { force: true });
      closeSync(descriptor);
    },
  };
}

function isSameFile(descriptor: number, file: string): boolean {
  const mine = fstatSync(descriptor);
  const named = statSync(file, { throwIfNoEntry: false });
  return named !== undefined && named.ino === mine.ino && named.dev === mine.dev;
}

/** The exit code of flock(1) when another has the lock. */
const CONFLICT = 1;

/** Whether the lock could be had. */
function flock(descriptor: number, waitSeconds: number): Promise<boolean> {
  const patience = waitSeconds > 0 ? ['-w', String(waitSeconds)] : ['-n'];
  return new Promise((resolve, reject) => {
    // The descriptor is number 3 to the program.
    const child = spawn('flock', [...patience, '3'], { stdio: ['ignore', 'ignore', 'ignore', descriptor] });
    child.once('error', (error) =>
      reject(
        new Error(`flock(1) of util-linux cannot be run (${error.message}): install it`, { cause: error }),
      ),
    );
    child.once('exit', (code, signal) => {
      if (code === 0 || code === CONFLICT) resolve(code === 0);
      else reject(new Error(`flock(1) ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}
