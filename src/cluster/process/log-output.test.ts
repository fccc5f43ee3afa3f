import assert from 'node:assert/strict';
import { it } from 'node:test';
import { linesTo } from './log-output.ts';

it('a log on a full disk loses lines, counts them, and goes on', () => {
  let room = 20;
  let text = '';
  const write = linesTo((line) => {
    if (room === 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    const part = line.slice(0, room);
    text += part;
    room -= part.length;
    return part.length;
  });
  for (const line of ['first line\n', 'second line\n', 'third\n', 'fourth\n']) write(line);
  assert.equal(text, 'first line\nsecond li');
  room = 1000;
  write('fifth\n');
  write('sixth\n');
  assert.equal(
    text,
    'first line\nsecond li\n(3 lines could not be written: the disk was full)\nfifth\nsixth\n',
  );
});
