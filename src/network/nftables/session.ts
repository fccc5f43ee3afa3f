// Hands scripts to nft, one after the other, each as one transaction. Short ones go to an interactive nft that stays: a
// process for each would take three times as long, most of it in taking it down (docs/decisions). Long ones, and all where nft
// was built without its command line, get a process of their own.
import type { Clock } from '../../base/clock.ts';
import type { LastingProgram, StartProgram } from '../../base/lasting-program.ts';
import type { RunCommand } from '../../base/machine-command.ts';

export interface NftPrograms {
  run: RunCommand;
  start: StartProgram;
  clock: Clock;
}

/** A longer script gets a process of its own, which reads it faster than the command line does. */
const MOST_INTERACTIVE_BYTES = 8 * 1024;
/** It remembers every line that it was told, and is replaced before that is much. */
const MOST_LINES = 1_000;
/** A change takes a few milliseconds, on a machine that stands still seconds. */
const PATIENCE_MS = 20_000;

export class NftSession {
  readonly #programs: NftPrograms;
  #shell: NftShell | undefined;
  #hasShell = true;

  constructor(programs: NftPrograms) {
    this.#programs = programs;
  }

  /**
   * Resolves when the commands are in force, all of them. One call at a time.
   * @throws Error if nft refuses, or ends meanwhile: then it is not known whether they are.
   */
  async run(commands: readonly string[]): Promise<void> {
    const bytes = commands.reduce((sum, command) => sum + command.length, 0);
    if (bytes > MOST_INTERACTIVE_BYTES || !this.#hasShell) {
      await this.#programs.run('nft', ['-f', '-'], { input: `${commands.join('\n')}\n` });
      return;
    }
    this.#shell ??= new NftShell(this.#programs);
    const shell = this.#shell;
    try {
      await shell.run(commands.join(' ; '));
    } catch (error) {
      if (shell.lines === 0 && shell.hasEnded) this.#hasShell = false;
      throw error;
    } finally {
      if (shell.hasEnded || shell.lines >= MOST_LINES) {
        shell.close();
        this.#shell = undefined;
      }
    }
  }

  close(): void {
    this.#shell?.close();
    this.#shell = undefined;
  }
}

/**
 * One `nft -i`. It says nothing of a line that went well: after each it is told a word that it does not know, and what
 * it says before it complains of that word is about the line.
 */
class NftShell {
  /** How many lines it has answered. */
  lines = 0;
  hasEnded = false;
  readonly #program: LastingProgram;
  readonly #clock: Clock;
  #said = '';
  #heard: () => void = () => {};

  constructor({ start, clock }: NftPrograms) {
    this.#clock = clock;
    this.#program = start('nft', ['-i'], {
      onStdout: () => {},
      onStderr: (text) => {
        this.#said += text;
        this.#heard();
      },
      // It would keep a history of its lines in the home directory.
      environment: { HOME: '/nonexistent', TERM: 'dumb' },
    });
    void this.#program.ended.then(() => {
      this.hasEnded = true;
      this.#heard();
    });
  }

  async run(line: string): Promise<void> {
    const mark = `answered-${this.lines}`;
    this.#said = '';
    let late = false;
    const cancel = this.#clock.after(PATIENCE_MS, () => {
      late = true;
      this.#heard();
    });
    this.#program.write(`${line}\n${mark}\n`);
    while (!this.#said.includes(`\n${mark}\n`) && !this.hasEnded && !late) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
    cancel();
    const end = this.#said.indexOf(`\n${mark}\n`);
    if (end < 0) {
      this.#program.kill();
      this.hasEnded = true;
      const why = late ? `gave no answer within ${PATIENCE_MS / 1000} seconds` : 'has ended';
      throw new Error(`nft ${why}: ${this.#said.trim() || 'it said nothing'}`);
    }
    this.lines++;
    // The last line before the mark complains of the mark.
    const complaints = this.#said.slice(0, end).split('\n').slice(0, -1);
    const errors = complaints.filter((text) => text.startsWith('Error'));
    if (errors.length > 0) throw new Error(`nft refuses: ${errors.join('; ')}`);
  }

  close(): void {
    this.#program.end();
  }
}
