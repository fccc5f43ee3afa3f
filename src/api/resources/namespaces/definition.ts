// The Namespace resource. A namespace goes away through its finalizer: the namespace controller empties it first.

import { present } from '../../../base/present.ts';
import type { Namespace } from '../../generated/types.ts';
import { dns1123Label } from '../../names.ts';
import type { ResourceDefinition } from '../../resource.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { keepStatus } from '../shared/status-strategy.ts';
import { ALL_VERBS } from '../shared/verbs.ts';
import { namespaceTypes } from './types.ts';
import { validateNamespace, validateNamespaceStatusUpdate } from './validation.ts';

/** The finalizer in spec.finalizers that stands for "everything in the namespace is gone". */
const KUBERNETES_FINALIZER = 'kubernetes';

export const namespaces: ResourceDefinition<Namespace> = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  categories: [],
  namespaced: false,
  schema: 'Namespace',
  types: [namespaceTypes],
  verbs: ALL_VERBS.filter((verb) => verb !== 'deletecollection'),
  hasStatus: true,
  actions: { finalize: { kind: 'Namespace', verbs: ['update'] } },
  selectableFields: { 'status.phase': (namespace) => namespace.status?.phase ?? '' },
  returnsDeleted: true,
  columns: [
    nameColumn(),
    column('Status', 'Active or Terminating.', (namespace) => namespace.status?.phase ?? ''),
    ageColumn(),
  ],
  strategy: {
    prepareForCreate(namespace) {
      namespace.status = { phase: 'Active' };
      const finalizers = namespace.spec.finalizers ?? [];
      if (!finalizers.includes(KUBERNETES_FINALIZER)) {
        namespace.spec = { ...namespace.spec, finalizers: [...finalizers, KUBERNETES_FINALIZER] };
      }
    },
    validateCreate: validateNamespace,
    prepareForUpdate(namespace, old) {
      // Only the finalize subresource changes these.
      namespace.spec = present({ ...namespace.spec, finalizers: old.spec.finalizers });
      keepStatus(namespace, old);
    },
    validateStatusUpdate: validateNamespaceStatusUpdate,
    prepareForDeletion(namespace) {
      namespace.status = { ...namespace.status, phase: 'Terminating' };
    },
    holdsDeletion: (namespace) => (namespace.spec?.finalizers ?? []).length > 0,
  },
  validateName: dns1123Label,
};
