// Writes docs/fields.md: which field is read by whom, and what is said of those that nobody reads. Build first.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const { fieldsDocument } = await import(join(root, 'dist/src/api/fields/test-document.js'));
writeFileSync(join(root, 'docs', 'fields.md'), fieldsDocument());
