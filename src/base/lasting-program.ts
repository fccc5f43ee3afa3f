// How a room asks for a program of the machine that runs on while it is spoken to. Only the form is here; node/machine
// holds what really starts programs, and tests hand in their own.

export interface LastingProgram {
  /** Writes to its standard input. What a program that has ended is told is lost. */
  write(text: string): void;
  /** Closes its standard input. */
  end(): void;
  /** Ends it, if it still runs. */
  kill(): void;
  /** Resolves when it has ended, with its exit code; undefined if a signal ended it or it could not be started. */
  ended: Promise<number | undefined>;
}

export interface LastingProgramOptions {
  /** Called with each piece of what it prints. */
  onStdout(text: string): void;
  onStderr(text: string): void;
  /** Set besides stead's own environment. */
  environment?: Readonly<Record<string, string>>;
}

/** Starts a program; one that cannot be started has ended, and `onStderr` has heard why. */
export type StartProgram = (
  program: string,
  args: readonly string[],
  options: LastingProgramOptions,
) => LastingProgram;
