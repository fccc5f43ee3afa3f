import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireShallow } from './body-limits.ts';
import { requireShallowYaml } from './yaml-document.ts';

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
