// How much lies in directories that pods write to: coreutils' du, outside this process, at low priority and with an
// end. It follows no links, stays on one file system, and takes a tree that changes under it as it comes.
import { spawn } from 'node:child_process';
import { programEnvironment } from '../machine/command.ts';

/**
 * Measures directories: bytes that their files take on the disk, or how many files there are.
 * @returns by directory; one that is not there, or that was not reached in time, is missing.
 */
export type MeasureDirectories = (
  directories: readonly string[],
  what: 'bytes' | 'inodes',
) => Promise<ReadonlyMap<string, number>>;

const TIME_LIMIT_MS = 60_000;
const OUTPUT_LIMIT = 16 * 1024 * 1024;

export const measureDirectories: MeasureDirectories = async (directories, what) => {
  if (directories.length === 0) return new Map();
  const unit = what === 'inodes' ? '--inodes' : '--block-size=1';
  const output = await outputOfDu(
    ['--summarize', '--one-file-system', '--null', '--files0-from=-', unit],
    directories,
  );
  return parseSizes(output);
};

/** Reads du's `4096<TAB>/path<NUL>`; a line that was cut off has no end and does not count. */
export function parseSizes(output: string): Map<string, number> {
  const lines = output.split('\0').slice(0, -1);
  return new Map(
    lines.flatMap((line) => {
      const at = line.indexOf('\t');
      return at < 0 ? [] : [[line.slice(at + 1), Number(line.slice(0, at))] as const];
    }),
  );
}

/** What du said before it ended or was ended. That files vanish while it looks is no failure, though its code says so. */
function outputOfDu(options: readonly string[], directories: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    // As far down as it goes, from wherever this process is.
    const child = spawn('nice', ['-n', '39', 'du', ...options], {
      env: programEnvironment(),
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: TIME_LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output.length < OUTPUT_LIMIT) output += text;
    });
    child.on('error', reject);
    child.on('close', () => resolve(output));
    child.stdin.on('error', () => {});
    child.stdin.end(directories.join('\0'));
  });
}
