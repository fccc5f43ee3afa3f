// What roles and their bindings have in common.
import { generatedTypes } from '../../../schema/generated-types.ts';

export const rbacTypes = generatedTypes('io.k8s.api.rbac.v1', {
  PolicyRule: { numbers: 'verbs apiGroups resources resourceNames nonResourceURLs' },
  RbacV1Subject: {
    goName: 'Subject',
    numbers: 'kind apiGroup name namespace',
    atomic: true,
    setDefaults(subject) {
      const isUser = subject.kind === 'User' || subject.kind === 'Group';
      if (!subject.apiGroup && isUser) subject.apiGroup = 'rbac.authorization.k8s.io';
    },
  },
  RoleRef: {
    numbers: 'apiGroup kind name',
    atomic: true,
    fields: { apiGroup: { presence: 'written', default: 'rbac.authorization.k8s.io' } },
  },
});
