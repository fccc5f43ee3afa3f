// The IPAddress resource: an address is its name, and who has it its parent. That there can be one object of a name is
// what gives an address to one owner only.

import type { IPAddress } from '../../generated/types.ts';
import { groupResourceOf, type ResourceDefinition } from '../../resource.ts';
import { canonicalAddress } from '../../validation/ip-rules.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { ipAddressTypes } from './types.ts';
import { validateIpAddress, validateIpAddressUpdate } from './validation.ts';

function parentOf({ spec }: IPAddress): string {
  const parent = spec?.parentRef;
  if (!parent) return '<none>';
  const resource = groupResourceOf({ group: parent.group ?? '', plural: parent.resource ?? '' });
  return [resource.toLowerCase(), parent.namespace, parent.name].filter(Boolean).join('/');
}

export const ipAddresses: ResourceDefinition<IPAddress> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  singular: 'ipaddress',
  shortNames: ['ip'],
  categories: [],
  namespaced: false,
  schema: 'IPAddress',
  types: [ipAddressTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  columns: [nameColumn(), column('ParentRef', 'Who has the address.', parentOf), ageColumn()],
  strategy: { validateCreate: validateIpAddress, validateUpdate: validateIpAddressUpdate },
  validateName: canonicalAddress,
};
