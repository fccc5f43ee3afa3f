import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countValues, requireShallow } from './body-limits.ts';
import { readYaml, requireShallowYaml } from './yaml-document.ts';

test('what is nested deeper than any object is refused before it is walked', () => {
  requireShallow(JSON.parse('['.repeat(900) + ']'.repeat(900)));
  assert.throws(() => requireShallow(JSON.parse('['.repeat(2000) + ']'.repeat(2000))), { code: 400 });
  const indented = Array.from({ length: 200 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n');
  for (const text of [
    '['.repeat(200),
    '{a: '.repeat(200),
    '- '.repeat(200),
    '? '.repeat(200),
    `a:\n  ${'- '.repeat(150)}`,
    indented,
  ]) {
    assert.throws(() => requireShallowYaml(text), { code: 400 }, text.slice(0, 20));
  }
});

test('ordinary YAML passes, however long', () => {
  requireShallowYaml('a:\n- b: {c: [d]}\n  e: |\n    [[ -f x ]] && {\n    }\n- - f\n'.repeat(50));
  requireShallowYaml(`data:\n${Array.from({ length: 5000 }, (_, index) => `  k${index}: "[x]"`).join('\n')}`);
});

test('values of JSON are counted where they stand, up to a limit', () => {
  const count = (json: string, limit = 100): number => countValues(Buffer.from(json), limit);
  assert.equal(count('1'), 1);
  assert.equal(count('{"a":[1,2,{"b,[":"c,d"}]}'), 6);
  assert.equal(count('["\\"",","]'), 3);
  assert.equal(count(`[${'1,'.repeat(1000)}1]`, 10), 11);
});

test('YAML is counted before it is parsed: lines, scalars of any kind, and what no object has', () => {
  for (const line of [
    '%a\n',
    '- *a\n',
    '- &a\n',
    '- !a\n',
    '- "a"\n',
    "- ''\n",
    '#\n',
    '\n',
    '---\n',
    '- \n',
  ]) {
    assert.throws(() => readYaml(line.repeat(500_000), false), { code: 413 }, line);
  }
  assert.throws(() => readYaml('"'.repeat(3_000_000), false), { code: 413 });
});

test('what is wrong with a document is told with its place', () => {
  assert.throws(
    () => readYaml('a: b\nc: [1,,]\n', false),
    /not YAML: Unexpected , in flow sequence at line 2, column 7/,
  );
});

test('scalars may begin with what means something elsewhere', () => {
  const text = Array.from({ length: 2000 }, (_, index) => `k${index}: |\n  %&*\nl${index}: a %b`).join('\n');
  assert.equal(Object.keys(JSON.parse(readYaml(text, false).json)).length, 4000);
});
