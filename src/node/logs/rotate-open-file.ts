// Bounds a log file that a process has open for appending and will not open again: its content is copied aside, and the
// file cut to nothing in place. All in one go, so that this process's own log loses nothing between the two.
import { copyFileSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';

export interface RotateOptions {
  /** The file is set aside when it is larger. */
  maxBytes: number;
  /** How many files are kept beside it: `.1` is the newest. */
  backups: number;
}

/**
 * Does nothing as long as the file is small, or not there. A disk that is too full for the copy costs the content, never
 * the bound.
 */
export function rotateOpenFile(file: string, { backups, maxBytes }: RotateOptions): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found || found.size <= maxBytes) return;
  for (let number = backups - 1; number >= 1; number--) {
    if (statSync(`${file}.${number}`, { throwIfNoEntry: false }))
      renameSync(`${file}.${number}`, `${file}.${number + 1}`);
  }
  try {
    copyFileSync(file, `${file}.1`);
  } catch {
    rmSync(`${file}.1`, { force: true });
  }
  truncateSync(file);
}
