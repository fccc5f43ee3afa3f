import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { LogOptions } from '../../api/between/node-streams.ts';
import { endOfLog, readLog } from './read-log.ts';
import { rotateLog } from './rotate.ts';

const clock = {
  now: () => Date.now(),
  after(delayMs: number, action: () => void) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};
const line = (second: number, content: string, tag = 'F'): string =>
  `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000001Z stdout ${tag} ${content}\n`;

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'stead-logs-'));
  path = join(directory, '0.log');
});
afterEach(() => rm(directory, { recursive: true }));

function read(options: Partial<LogOptions> = {}, isRunning: () => boolean = () => false): Promise<string> {
  const all = { follow: false, previous: false, timestamps: false, ...options };
  return text(readLog(path, all, clock, isRunning, new AbortController().signal));
}

describe('container logs', () => {
  it('are read whole, with partial lines joined', async () => {
    await writeFile(path, line(1, 'one') + line(2, 'tw', 'P') + line(2, 'o') + line(3, ''));
    assert.equal(await read(), 'one\ntwo\n\n');
    assert.equal(
      await read({ timestamps: true }),
      '2026-01-01T00:00:01.000000001Z one\n2026-01-01T00:00:02.000000001Z two\n2026-01-01T00:00:03.000000001Z \n',
    );
  });

  it('are cut by since, tail and a limit of bytes', async () => {
    await writeFile(path, line(1, 'one') + line(2, 'two') + line(3, 'three'));
    assert.equal(await read({ sinceTimeMs: Date.parse('2026-01-01T00:00:02Z') }), 'two\nthree\n');
    assert.equal(await read({ tailLines: 1 }), 'three\n');
    assert.equal(await read({ tailLines: 0 }), '');
    assert.equal(await read({ tailLines: 99 }), 'one\ntwo\nthree\n');
    assert.equal(await read({ limitBytes: 5 }), 'one\nt');
  });

  it('find the last lines of a long log', async () => {
    const lines = Array.from({ length: 5000 }, (_, index) => line(1, `number ${index} ${'x'.repeat(30)}`));
    await writeFile(path, lines.join(''));
    const tail = (await read({ tailLines: 3000 })).trimEnd().split('\n');
    assert.equal(tail.length, 3000);
    assert.match(tail[0] ?? '', /^number 2000 /);
  });

  it('go on over rotated files', async () => {
    await writeFile(`${path}.20260101-000001`, line(1, 'one') + line(2, 'two'));
    await writeFile(path, line(3, 'three'));
    assert.equal(await read(), 'one\ntwo\nthree\n');
    assert.equal(await read({ tailLines: 2 }), 'two\nthree\n');
  });

  it('are followed across rotation until the container has ended', async () => {
    await writeFile(path, line(1, 'one'));
    let running = true;
    const pieces: string[] = [];
    const reading = (async () => {
      const options = { follow: true, previous: false, timestamps: false };
      for await (const piece of readLog(path, options, clock, () => running, new AbortController().signal)) {
        pieces.push(Buffer.from(piece).toString());
        if (pieces.join('') === 'one\n') {
          await appendFile(path, line(2, 'two'));
          await rename(path, `${path}.20260101-000002`);
          await writeFile(path, line(3, 'three'));
        } else if (pieces.join('').endsWith('three\n')) running = false;
      }
    })();
    await reading;
    assert.equal(pieces.join(''), 'one\ntwo\nthree\n');
  });

  it('are rotated when they are large, and only the newest files stay', async () => {
    await writeFile(path, 'small');
    await rotateLog(path, 0, async () => assert.fail('nothing to rotate'));
    for (let round = 0; round < 7; round++) {
      await writeFile(path, Buffer.alloc(10 * 1024 * 1024));
      await rotateLog(path, round * 1000, () => writeFile(path, ''));
    }
    const names = (await readdir(directory)).sort();
    assert.equal(names.length, 5);
    assert.deepEqual(names.slice(0, 2), ['0.log', '0.log.19700101-000003.000']);
  });

  it('stay where they are when the runtime cannot reopen them', async () => {
    await writeFile(path, Buffer.alloc(10 * 1024 * 1024));
    await assert.rejects(rotateLog(path, 0, () => Promise.reject(new Error('no'))));
    assert.deepEqual(await readdir(directory), ['0.log']);
  });
});

describe('the end of a log', () => {
  it('is its last lines, and of these the last bytes', async () => {
    const lines = Array.from({ length: 100 }, (_, index) => line(index % 60, `line ${index}`));
    await writeFile(path, lines.join(''));
    assert.equal(String(await endOfLog(path, 2, 1000)), 'line 98\nline 99\n');
    assert.equal(String(await endOfLog(path, 80, 10)), '8\nline 99\n');
    await appendFile(path, line(1, 'x'.repeat(5000), 'P') + line(1, 'y'));
    assert.equal(String(await endOfLog(path, 2, 4)), 'xxy\n');
  });

  it('is empty if there is no log, and takes no memory for what is none', async () => {
    assert.equal(String(await endOfLog(path, 80, 2048)), '');
    await writeFile(path, '');
    await truncate(path, 300e6);
    await appendFile(path, `\n${line(1, 'after')}`);
    const before = process.memoryUsage().rss;
    assert.equal(String(await endOfLog(path, 80, 2048)), 'after\n');
    assert.ok(process.memoryUsage().rss - before < 200e6);
  });
});
