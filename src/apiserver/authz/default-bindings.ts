// Who has the default roles from the start. From plugin/pkg/auth/authorizer/rbac/bootstrappolicy.
import type { ClusterRoleBinding, RbacV1Subject, RoleBinding } from '../../api/generated/types.ts';
import { ALSO_BOUND_TO, CONTROLLER_PREFIX, CONTROLLER_RULES } from './controller-roles.ts';
import { AUTOUPDATE, BOOTSTRAP_LABELS } from './default-roles.ts';
import { NODES_GROUP } from './node.ts';

const RBAC_GROUP = 'rbac.authorization.k8s.io';

const subject = (kind: 'User' | 'Group', name: string): RbacV1Subject => ({
  kind,
  name,
  apiGroup: RBAC_GROUP,
});
/** An account in kube-system. */
const account = (name: string): RbacV1Subject => ({ kind: 'ServiceAccount', name, namespace: 'kube-system' });
const EVERYBODY_KNOWN = subject('Group', 'system:authenticated');

const CLUSTER: Readonly<Record<string, readonly RbacV1Subject[]>> = {
  'cluster-admin': [subject('Group', 'system:masters')],
  'system:monitoring': [subject('Group', 'system:monitoring')],
  'system:discovery': [EVERYBODY_KNOWN],
  'system:basic-user': [EVERYBODY_KNOWN],
  'system:public-info-viewer': [EVERYBODY_KNOWN, subject('Group', 'system:unauthenticated')],
  'system:service-account-issuer-discovery': [subject('Group', 'system:serviceaccounts')],
  'system:node-proxier': [subject('User', 'system:kube-proxy')],
  'system:kube-controller-manager': [subject('User', 'system:kube-controller-manager')],
  'system:kube-scheduler': [subject('User', 'system:kube-scheduler')],
  'system:coredns': [account('coredns')],
  'stead:kubernetes-service': [account('kubernetes-service-controller')],
  'stead:service-addresses': [account('service-addresses')],
  'stead:local-provisioner': [account('local-provisioner')],
  'stead:local-volumes': [subject('Group', NODES_GROUP)],
  ...Object.fromEntries(
    Object.keys(CONTROLLER_RULES).map((name) => [
      CONTROLLER_PREFIX + name,
      [name, ...(ALSO_BOUND_TO[name] ?? [])].map(account),
    ]),
  ),
};

const metadata = (name: string) => ({
  name,
  labels: { ...BOOTSTRAP_LABELS },
  annotations: { [AUTOUPDATE]: 'true' },
});

/** Every one is called as the role that it gives. */
export function defaultClusterRoleBindings(): ClusterRoleBinding[] {
  return Object.entries(CLUSTER).map(([name, subjects]) => ({
    metadata: metadata(name),
    roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name },
    subjects: [...subjects],
  }));
}

export function defaultRoleBindings(): RoleBinding[] {
  const namespace = 'kube-system';
  const bindings: Array<[name: string, role: string, subjects: RbacV1Subject[]]> = [
    [
      'system::extension-apiserver-authentication-reader',
      'extension-apiserver-authentication-reader',
      [subject('User', 'system:kube-controller-manager'), subject('User', 'system:kube-scheduler')],
    ],
    [
      'system::leader-locking-kube-controller-manager',
      'system::leader-locking-kube-controller-manager',
      [subject('User', 'system:kube-controller-manager')],
    ],
    [
      'system::leader-locking-kube-scheduler',
      'system::leader-locking-kube-scheduler',
      [subject('User', 'system:kube-scheduler')],
    ],
    ['stead:load-balancer-addresses', 'stead:load-balancer-addresses', [account('service-controller')]],
  ];
  return bindings.map(([name, role, subjects]) => ({
    metadata: { namespace, ...metadata(name) },
    roleRef: { apiGroup: RBAC_GROUP, kind: 'Role', name: role },
    subjects,
  }));
}
