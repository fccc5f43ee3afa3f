// Runs programs of the machine. What they are for is the callers' business.
import { spawn } from 'node:child_process';
import { CommandError, type RunCommand } from '../../base/machine-command.ts';

/** More output than this is cut off: nothing that is run here prints that much. */
const OUTPUT_LIMIT = 16 * 1024 * 1024;
/** The places that a service's PATH often lacks. */
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** PATH, with the directories of system programs at its end. */
export function programPath(): string {
  return process.env.PATH ? `${process.env.PATH}:${SYSTEM_PATH}` : SYSTEM_PATH;
}

/** The environment programs are run with: messages in English, since some are read. */
export function programEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: programPath(), LC_ALL: 'C' };
}

/** Whatever waits for a program waits no longer than this: a disk or a file server may never answer. */
const DEFAULT_TIMEOUT_MS = 10 * 60_000;

export const runCommand: RunCommand = (program, args, options = {}) =>
  new Promise((resolve, reject) => {
    const { directory, input, openFiles = [], timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const child = spawn(program, args, {
      env: programEnvironment(),
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', ...openFiles],
      signal: AbortSignal.timeout(timeoutMs),
      killSignal: 'SIGKILL',
      cwd: directory,
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < OUTPUT_LIMIT) stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < OUTPUT_LIMIT) stderr += text;
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      const notInstalled = error.code === 'ENOENT';
      // Told at once: a program that hangs in the kernel does not even die.
      const why =
        error.code === 'ABORT_ERR' ? `it did not end within ${timeoutMs / 1000} seconds` : error.message;
      reject(new CommandError(program, args, { stderr: why, notInstalled }));
    });
    child.on('close', (code) => {
      if (code === 0) return resolve(stdout);
      reject(new CommandError(program, args, { exitCode: code ?? undefined, stderr, notInstalled: false }));
    });
    // A program that ends without reading its input is judged by its exit code.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
