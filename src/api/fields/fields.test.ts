// Every field of every type that is served has a row that says what becomes of it, and the row is true as far as text
// can show it: the file that it names speaks of the field.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fieldsDocument } from './test-document.ts';
import { allRows, schema, servedTypes } from './test-table.ts';

const root = join(import.meta.dirname, '..', '..', '..', '..');
const rows = allRows();
const nameOf = ({ type, field }: { type: string; field: string }): string => `${type}.${field}`;

test('every field of the schema has a row', () => {
  const named = new Set(rows.map(nameOf));
  const fields = servedTypes().flatMap((type) =>
    schema.type(type).fields.map(([field]) => `${type}.${field}`),
  );
  assert.deepEqual(
    fields.filter((field) => !named.has(field)),
    [],
  );
});

test('every row is of a field of the schema, and no field has two', () => {
  const served = new Set(servedTypes());
  const unknown = rows.filter(({ type, field }) => !served.has(type) || !schema.type(type).field(field));
  assert.deepEqual(unknown.map(nameOf), []);
  const seen = new Set<string>();
  const twice = rows.filter((row) => {
    // A field that is unsupported in part has readers for the rest.
    if (row.unsupported) return false;
    const isSecond = seen.has(nameOf(row));
    seen.add(nameOf(row));
    return isSecond;
  });
  assert.deepEqual(twice.map(nameOf), []);
});

test('every file that a row names speaks of the field', () => {
  const silent = rows.filter(({ reader, field }) => {
    if (reader === undefined) return false;
    const file = join(root, 'src', reader);
    return !existsSync(file) || !new RegExp(`\\b${field}\\b`).test(readFileSync(file, 'utf8'));
  });
  assert.deepEqual(
    silent.map((row) => `${nameOf(row)} in ${row.reader}`),
    [],
  );
});

test('docs/fields.md is what the tables say: `node scripts/fields.mjs` writes it', () => {
  assert.equal(readFileSync(join(root, 'docs', 'fields.md'), 'utf8'), fieldsDocument());
});
