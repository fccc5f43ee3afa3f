// Programs in a place of the test machine that go on, and are spoken with line by line.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { TestMachine } from '../test-machine.ts';

type Place = TestMachine['host'];

/** A program that goes on. */
export interface Talk extends AsyncDisposable {
  /** The next line that it prints. */
  line(): Promise<string>;
  /** Tells it a line; gives the next one that it prints. */
  say(text: string): Promise<string>;
}

export function begin(place: Place, script: string, ...args: string[]): Talk {
  const child = spawn(...place.inside('node', ['-e', script, ...args]));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const line = async (): Promise<string> => (await lines.next()).value ?? '';
  return {
    line,
    say(text) {
      child.stdin.write(`${text}\n`);
      return line();
    },
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}
