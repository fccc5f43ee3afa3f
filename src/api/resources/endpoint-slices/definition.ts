// The EndpointSlice resource: the addresses behind a service, in slices of at most a thousand.

import type { EndpointSlice } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, formatList, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { endpointSliceTypes } from './types.ts';
import { validateEndpointSlice, validateEndpointSliceUpdate } from './validation.ts';

export const endpointSlices: ResourceDefinition<EndpointSlice> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  singular: 'endpointslice',
  shortNames: [],
  categories: [],
  namespaced: true,
  schema: 'EndpointSlice',
  types: [endpointSliceTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  countsGeneration: true,
  columns: [
    nameColumn(),
    column('AddressType', 'The kind of addresses in the slice.', (slice) => slice.addressType),
    column(
      'Ports',
      'The ports of every endpoint in the slice.',
      (slice) =>
        formatList(
          (slice.ports ?? []).map(({ port, name }) => (port === undefined ? name || '*' : `${port}`)),
        ) || '<unset>',
    ),
    column(
      'Endpoints',
      'The addresses in the slice.',
      (slice) => formatList((slice.endpoints ?? []).flatMap(({ addresses }) => addresses)) || '<unset>',
    ),
    ageColumn(),
  ],
  strategy: { validateCreate: validateEndpointSlice, validateUpdate: validateEndpointSliceUpdate },
};
