// The LimitRange resource. What an item leaves open follows from its bounds.

import type { LimitRange, LimitRangeItem } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { createdAtColumn, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { limitRangeTypes } from './types.ts';
import { validateLimitRange } from './validation.ts';

/** For containers: the default limit is the maximum, the default request the default limit or the minimum. */
function setDefaults({ spec }: LimitRange): void {
  for (const item of spec.limits ?? []) if (item.type === 'Container') setItemDefaults(item);
}

function setItemDefaults(item: LimitRangeItem): void {
  const limits = { ...item.max, ...item.default };
  if (Object.keys(limits).length > 0) item.default = limits;
  const requests = { ...item.min, ...limits, ...item.defaultRequest };
  if (Object.keys(requests).length > 0) item.defaultRequest = requests;
}

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
  types: [limitRangeTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  createsOnUpdate: true,
  columns: [nameColumn(), createdAtColumn()],
  strategy: {
    prepareForCreate: setDefaults,
    validateCreate: validateLimitRange,
    prepareForUpdate: setDefaults,
    validateUpdate: validateLimitRange,
  },
};
