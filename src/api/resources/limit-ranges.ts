// The LimitRange resource.
import type { LimitRange } from '../generated/types.ts';
import type { ResourceDefinition } from '../resource.ts';
import { createdAtColumn, nameColumn } from './columns.ts';
import { ALL_VERBS } from './verbs.ts';

export const limitRanges: ResourceDefinition<LimitRange> = {
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  singular: 'limitrange',
  shortNames: ['limits'],
  categories: [],
  namespaced: true,
  schema: 'LimitRange',
  verbs: ALL_VERBS,
  hasStatus: false,
  columns: [nameColumn(), createdAtColumn()],
  strategy: {},
};
