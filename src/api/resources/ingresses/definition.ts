// The Ingress resource. Nothing here carries its traffic: that is for the ingress controller that somebody runs.

import type { Ingress } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { statusStrategy } from '../shared/status-strategy.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { ingressTypes } from './types.ts';
import {
  ingressWarnings,
  validateIngress,
  validateIngressStatusUpdate,
  validateIngressUpdate,
} from './validation.ts';

const MAX_HOSTS = 3;
/** So long may the addresses be (loadBalancerWidth). */
const MAX_ADDRESS = 16;

/** The first hosts, and how many rules there are beside (formatHosts). */
function hostsOf({ spec }: Ingress): string {
  const rules = spec?.rules ?? [];
  const shown: string[] = [];
  for (const { host } of rules) {
    if (shown.length === MAX_HOSTS) return `${shown.join(',')} + ${rules.length - MAX_HOSTS} more...`;
    if (host) shown.push(host);
  }
  return shown.join(',') || '*';
}

/** Where the controller says that it is reached (ingressLoadBalancerStatusStringer). */
function addressesOf({ status }: Ingress): string {
  const ingress = status?.loadBalancer?.ingress ?? [];
  const all = [...new Set(ingress.flatMap(({ ip, hostname }) => ip || hostname || []))].sort().join(',');
  return all.length > MAX_ADDRESS ? `${all.slice(0, MAX_ADDRESS - 3)}...` : all;
}

export const ingresses: ResourceDefinition<Ingress> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  singular: 'ingress',
  shortNames: ['ing'],
  categories: [],
  namespaced: true,
  schema: 'Ingress',
  types: [ingressTypes],
  verbs: ALL_VERBS,
  hasStatus: true,
  countsGeneration: true,
  columns: [
    nameColumn(),
    column('Class', 'The IngressClass.', ({ spec }) => spec?.ingressClassName ?? '<none>'),
    column('Hosts', 'The hosts that requests are matched against.', hostsOf),
    column('Address', 'Where the ingress is reached.', addressesOf),
    column('Ports', 'The ports that are open.', ({ spec }) => (spec?.tls?.length ? '80, 443' : '80')),
    ageColumn(),
  ],
  strategy: {
    ...statusStrategy<Ingress>(() => ({ loadBalancer: {} })),
    validateCreate: validateIngress,
    validateUpdate: validateIngressUpdate,
    validateStatusUpdate: validateIngressStatusUpdate,
    warnings: ingressWarnings,
  },
};
