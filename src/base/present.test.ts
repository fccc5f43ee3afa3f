import assert from 'node:assert/strict';
import { test } from 'node:test';
import { present } from './present.ts';

interface Thing {
  name: string;
  size?: number;
}

test('leaves out what is undefined, and nothing else', () => {
  const thing: Thing = present({ name: '', size: undefined });
  assert.deepEqual(Object.keys(thing), ['name']);
  const sized: Thing = present({ name: '', size: 0 });
  assert.deepEqual(sized, { name: '', size: 0 });
});

test('takes what its place takes, with or without undefined, and no other field', () => {
  // @ts-expect-error a required field may not be missing
  const nameless: Thing = present({ name: undefined });
  // @ts-expect-error a misspelt field
  const misspelt: Thing = present({ name: 'a', sise: 1 });
  assert.deepEqual([nameless, misspelt], [{}, { name: 'a', sise: 1 }]);
});
