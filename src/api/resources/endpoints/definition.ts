// The Endpoints resource: the addresses behind a service, in one object.

import type { EndpointSubset, Endpoints } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, formatList, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { endpointsTypes } from './types.ts';
import { validateEndpoints } from './validation.ts';

/** `10.0.0.5:80` for each address and port; only the addresses of a subset without ports. */
function addressesOf(subset: EndpointSubset): string[] {
  const hosts = (subset.addresses ?? []).map(({ ip }) => ip);
  if (!subset.ports?.length) return hosts;
  return subset.ports.flatMap(({ port }) =>
    hosts.map((host) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)),
  );
}

export const endpoints: ResourceDefinition<Endpoints> = {
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  categories: [],
  namespaced: true,
  schema: 'Endpoints',
  types: [endpointsTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  createsOnUpdate: true,
  columns: [
    nameColumn(),
    column('Endpoints', 'The addresses behind the service.', (object) =>
      object.subsets?.length ? formatList(object.subsets.flatMap(addressesOf)) : '<none>',
    ),
    ageColumn(),
  ],
  strategy: { validateCreate: validateEndpoints, validateUpdate: validateEndpoints },
};
