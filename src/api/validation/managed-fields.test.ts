import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fieldManagerErrors, validateManagedFields } from './managed-fields.ts';

it('a field manager is refused for each character that cannot be printed, wherever it is named', () => {
  const bodies = (name: string): string[] => fieldManagerErrors(name, 'fieldManager').map(({ body }) => body);
  assert.deepEqual(bodies('kubectl client-side'), []);
  assert.deepEqual(bodies('ü\u0007b\u0000'), [
    'Invalid value: "ü\\u0007b\\u0000": invalid character U+0007 (at position 2)',
    'Invalid value: "ü\\u0007b\\u0000": invalid character U+0000 (at position 4)',
  ]);
  assert.deepEqual(bodies('é'.repeat(65)), ['Too long: may not be more than 128 bytes']);
  const [error] = validateManagedFields(
    [{ operation: 'Update', manager: 'a\u0007' }],
    'metadata.managedFields',
  );
  assert.deepEqual(error, {
    type: 'FieldValueInvalid',
    field: 'metadata.managedFields[0].manager',
    body: 'Invalid value: "a\\u0007": invalid character U+0007 (at position 1)',
  });
});
