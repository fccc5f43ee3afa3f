import assert from 'node:assert/strict';
import { test } from 'node:test';
import { own } from './own.ts';

test('what every object inherits is in no table', () => {
  const table: Record<string, number> = { a: 1 };
  assert.equal(own(table, 'a'), 1);
  for (const name of ['constructor', '__proto__', 'toString', 'b']) assert.equal(own(table, name), undefined);
  assert.equal(own<number>(undefined, 'a'), undefined);
});
