import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { LockedError, lockFile } from './file-lock.ts';

const ROUNDS = 25;

/** Says that it is there; for each line of input it tries to take the lock, and says whether it has. */
const RIVAL = `
const { createInterface } = await import('node:readline');
const { lockFile } = await import(${JSON.stringify(new URL('./file-lock.js', import.meta.url).href)});
console.log('ready');
let lock;
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'release') {
    lock?.release();
    lock = undefined;
    console.log('released');
    continue;
  }
  while (Date.now() < Number(line));
  lock = await lockFile(process.argv[1]).catch(() => undefined);
  console.log(lock ? 'has it' : 'refused');
}`;

class Rival {
  readonly #child;
  #text = '';

  constructor(file: string) {
    this.#child = spawn(process.execPath, ['--input-type=module', '-e', RIVAL, file], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text;
    });
  }

  say(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  async answer(): Promise<string> {
    while (!this.#text.includes('\n')) await once(this.#child.stdout, 'data');
    const [line = '', ...rest] = this.#text.split('\n');
    this.#text = rest.join('\n');
    return line;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

describe('a lock that the kernel keeps', () => {
  let directory: string;
  let file: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'stead-lock-'));
    file = join(directory, 'lock');
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  it('is had by one of two processes that ask in the same millisecond, every time', async () => {
    const rivals = [new Rival(file), new Rival(file)];
    for (const rival of rivals) assert.equal(await rival.answer(), 'ready');
    for (let round = 0; round < ROUNDS; round++) {
      const at = String(Date.now() + 5);
      for (const rival of rivals) rival.say(at);
      const answers = await Promise.all(rivals.map((rival) => rival.answer()));
      assert.deepEqual(answers.sort(), ['has it', 'refused'], `round ${round}`);
      for (const rival of rivals) rival.say('release');
      for (const rival of rivals) assert.equal(await rival.answer(), 'released');
    }
    for (const rival of rivals) await rival.kill();
  });

  it('goes with a process that is killed, and not with the programs that its holder starts', async () => {
    const rival = new Rival(file);
    await rival.answer();
    rival.say('0');
    assert.equal(await rival.answer(), 'has it');
    await assert.rejects(lockFile(file), (error) => error instanceof LockedError && error.pid !== undefined);
    await rival.kill();
    const lock = await lockFile(file);
    const child = spawn('sleep', ['1000']);
    try {
      await once(child, 'spawn');
      lock.release();
      (await lockFile(file)).release();
    } finally {
      child.kill();
    }
  });

  it('leaves no file, and whoever waits for it has it next', async () => {
    const first = await lockFile(file);
    const waits = lockFile(file, 30);
    first.release();
    (await waits).release();
    assert.equal(existsSync(file), false);
  });
});
