// The Service resource: names, columns, strategy. Addresses and node ports are given out elsewhere.

import type { Service, ServicePort } from '../../generated/types.ts';
import { dns1123Label } from '../../names.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, formatLabels, nameColumn, wideColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { serviceStrategy } from './strategy.ts';
import { serviceTypes } from './types.ts';

const NONE = '<none>';

/** The addresses at which the service can be reached from outside the cluster (getServiceExternalIP). */
function externalAddresses(service: Service): string {
  const { type, externalIPs = [], externalName } = service.spec;
  switch (type) {
    case 'ClusterIP':
    case 'NodePort':
      return externalIPs.join(',') || NONE;
    case 'LoadBalancer': {
      const balancers = (service.status?.loadBalancer?.ingress ?? []).map((it) => it.ip || it.hostname || '');
      return [...new Set(balancers), ...externalIPs].join(',') || '<pending>';
    }
    case 'ExternalName':
      return externalName ?? '';
    default:
      return '<unknown>';
  }
}

/** `80/TCP`, or `80:30080/TCP` with a node port. */
function portCell(port: ServicePort): string {
  return `${port.port}${port.nodePort ? `:${port.nodePort}` : ''}/${port.protocol ?? 'TCP'}`;
}

export const services: ResourceDefinition<Service> = {
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  schema: 'Service',
  types: [serviceTypes],
  verbs: ALL_VERBS,
  hasStatus: true,
  actions: { proxy: { kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] } },
  selectableFields: {
    'spec.clusterIP': (service) => service.spec.clusterIP ?? '',
    'spec.type': (service) => service.spec.type ?? '',
  },
  returnsDeleted: true,
  createsOnUpdate: true,
  columns: [
    nameColumn(),
    column('Type', 'How the service is exposed.', (service) => service.spec.type ?? ''),
    column(
      'Cluster-IP',
      "The service's address in the cluster.",
      (service) => service.spec.clusterIP || NONE,
    ),
    column('External-IP', 'Addresses at which the service is reached from outside.', externalAddresses),
    column(
      'Port(s)',
      'The ports that the service exposes.',
      (service) => (service.spec.ports ?? []).map(portCell).join(',') || NONE,
    ),
    ageColumn(),
    wideColumn('Selector', 'The labels of the pods that the service leads to.', (service) =>
      formatLabels(service.spec.selector),
    ),
  ],
  strategy: serviceStrategy,
  validateName: dns1123Label,
};
