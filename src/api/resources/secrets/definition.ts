// The Secret resource. `stringData` is write-only: it is folded into `data` before anything is stored.

import type { Secret } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { secretTypes } from './types.ts';
import { validateSecret, validateSecretUpdate } from './validation.ts';

/** Text entries win over those already in `data` (Convert_v1_Secret_To_core_Secret). */
function foldStringData(secret: Secret): void {
  const { stringData } = secret;
  if (stringData === undefined) return;
  const encoded = Object.entries(stringData).map(([key, text]) => [
    key,
    Buffer.from(text).toString('base64'),
  ]);
  secret.data = { ...secret.data, ...Object.fromEntries(encoded) };
  delete secret.stringData;
}

export const secrets: ResourceDefinition<Secret> = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  singular: 'secret',
  shortNames: [],
  categories: [],
  namespaced: true,
  schema: 'Secret',
  types: [secretTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  selectableFields: { type: (secret) => secret.type ?? '' },
  columns: [
    nameColumn(),
    column('Type', 'What kind of data the secret holds.', (secret) => secret.type ?? ''),
    column(
      'Data',
      'How many entries the secret has.',
      (secret) => `${Object.keys(secret.data ?? {}).length}`,
    ),
    ageColumn(),
  ],
  strategy: {
    prepareForCreate: foldStringData,
    validateCreate: validateSecret,
    prepareForUpdate: foldStringData,
    validateUpdate: validateSecretUpdate,
  },
};
