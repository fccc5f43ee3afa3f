// Runs programs as the tests do: to their end, whatever it is.
import { execFile } from 'node:child_process';

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end; never rejects because of how it ended. */
export function run(
  command: string,
  args: readonly string[],
  options: { env?: object; input?: string } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      args,
      { env: { ...process.env, ...options.env }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
        resolve({ code, stdout, stderr });
      },
    );
    // A program that ends without reading its input is judged by how it ended.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
  });
}
