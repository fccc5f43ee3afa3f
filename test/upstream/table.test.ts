// docs/upstream-tests.md says which test of ours is which of upstream's: every row is held against the tests.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..', '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const SCENARIOS = 'src/controllers/statefulset/scenarios';

/** Rows as [upstream's title, ours]; an empty title is that of the row above. */
function rowsOf(page: string): Array<[string, string]> {
  const rows: Array<[string, string]> = [];
  for (const line of page.split('\n')) {
    const [, upstream = '', ours = ''] = line.split('|').map((cell) => cell.trim());
    if (/^(\S+\.test\.ts: .*|\S+\.yaml)$/.test(ours)) rows.push([upstream || (rows.at(-1)?.[0] ?? ''), ours]);
  }
  return rows;
}

const rows = rowsOf(read('docs/upstream-tests.md'));

test('upstream has 30 end-to-end tests without those of other applications, and 8 integration tests', () => {
  const titles = [...new Set(rows.map(([title]) => title.replace(/,.*/, '')))];
  assert.equal(titles.filter((title) => /^Test[A-Z]/.test(title)).length, 8);
  assert.equal(titles.filter((title) => !/^Test[A-Z]/.test(title)).length, 30);
});

/** What is wrong with a row; undefined if nothing is. */
function problemOf([title, ours]: [string, string]): string | undefined {
  if (ours.endsWith('.yaml'))
    return existsSync(join(root, SCENARIOS, ours)) ? undefined : `${ours} is not there`;
  const colon = ours.indexOf(': ');
  // Comments that go over two lines are one.
  const source = read(`test/upstream/${ours.slice(0, colon)}`).replace(/\n\s*\/\/ /g, ' ');
  const name = ours.slice(colon + 2);
  if (!source.includes(`'${name}'`) && !source.includes(`"${name}"`)) return `no test is called ${name}`;
  const named = title.startsWith('Test') ? `upstream: ${title}` : `upstream: "${title}"`;
  return source.includes(named) ? undefined : `no test names ${named}`;
}

test('every row names a test or a scenario that is there, and the test names the one of upstream', () => {
  assert.deepEqual(rows.map(problemOf).filter(Boolean), []);
});
