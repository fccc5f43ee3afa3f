// How a room asks for a program of the machine (mount, ip, iptables) to be run. Only the form is here; node/machine
// holds what really runs programs, and tests hand in their own.

export interface CommandOptions {
  /** Written to the program's standard input. */
  input?: string;
  /** Open files that the program is handed as its descriptors 3, 4, … */
  openFiles?: readonly number[];
  /** The directory that it runs in; left out: stead's own. */
  directory?: string;
  /** After this long it is killed. Left out: ten minutes. */
  timeoutMs?: number;
}

/**
 * Runs a program to its end.
 * @returns what it wrote to standard output.
 * @throws CommandError when it cannot be started or ends with another exit code than 0.
 */
export type RunCommand = (
  program: string,
  args: readonly string[],
  options?: CommandOptions,
) => Promise<string>;

/** A program that failed; the message names it and holds its own last words. */
export class CommandError extends Error {
  readonly program: string;
  /** Undefined when it could not be started or was ended by a signal. */
  readonly exitCode: number | undefined;
  readonly stderr: string;
  /** Whether the program is not there at all. */
  readonly notInstalled: boolean;
  constructor(
    program: string,
    args: readonly string[],
    outcome: { exitCode?: number | undefined; stderr: string; notInstalled: boolean },
  ) {
    const lines = outcome.stderr.split('\n').map((line) => line.trim());
    const said = lines.filter((line) => line !== '').join('; ');
    const why = outcome.notInstalled ? 'is not installed' : said || `exit code ${outcome.exitCode ?? 'none'}`;
    super(outcome.notInstalled ? `${program} ${why}` : `${[program, ...args].join(' ')}: ${why}`);
    this.name = 'CommandError';
    this.program = program;
    this.exitCode = outcome.exitCode;
    this.stderr = outcome.stderr;
    this.notInstalled = outcome.notInstalled;
  }
}
