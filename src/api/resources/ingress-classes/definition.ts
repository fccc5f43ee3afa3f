// The IngressClass resource: which controller serves the ingresses that name it.

import { isDefaultIngressClass } from '../../default-class.ts';
import type { IngressClass } from '../../generated/types.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { ingressClassTypes } from './types.ts';
import { validateIngressClass, validateIngressClassUpdate } from './validation.ts';

function parametersOf({ spec }: IngressClass): string {
  const { parameters } = spec ?? {};
  if (!parameters) return '<none>';
  const { apiGroup, kind, name } = parameters;
  return `${kind}${apiGroup === undefined ? '' : `.${apiGroup}`}/${name}`;
}

export const ingressClasses: ResourceDefinition<IngressClass> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  singular: 'ingressclass',
  shortNames: [],
  categories: [],
  namespaced: false,
  schema: 'IngressClass',
  types: [ingressClassTypes],
  verbs: ALL_VERBS,
  hasStatus: false,
  countsGeneration: true,
  columns: [
    nameColumn((object) => (isDefaultIngressClass(object) ? ' (default)' : '')),
    column('Controller', 'The controller of this class.', ({ spec }) => spec?.controller ?? ''),
    column('Parameters', 'Where more of it stands.', parametersOf),
    ageColumn(),
  ],
  strategy: { validateCreate: validateIngressClass, validateUpdate: validateIngressClassUpdate },
};
