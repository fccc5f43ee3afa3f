import assert from 'node:assert/strict';
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { rotateOpenFile } from './rotate-open-file.ts';

test('a file that is open for appending is set aside and goes on from nothing', (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'stead-log-'));
  context.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'stead.log');
  const descriptor = openSync(file, 'a');
  for (let round = 1; round <= 5; round++) {
    writeSync(descriptor, `${round}${'x'.repeat(200)}\n`);
    rotateOpenFile(file, { maxBytes: 100, backups: 2 });
    assert.equal(statSync(file).size, 0);
  }
  writeSync(descriptor, 'small\n');
  rotateOpenFile(file, { maxBytes: 100, backups: 2 });
  assert.equal(readFileSync(file, 'utf8'), 'small\n');
  assert.deepEqual(readdirSync(directory), ['stead.log', 'stead.log.1', 'stead.log.2']);
  assert.match(readFileSync(`${file}.1`, 'utf8'), /^5x+\n$/);
  assert.match(readFileSync(`${file}.2`, 'utf8'), /^4x+\n$/);
});

test('a file that is not there is no matter', () => {
  rotateOpenFile('/nowhere/stead.log', { maxBytes: 1, backups: 1 });
});
