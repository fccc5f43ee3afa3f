// The roles that every cluster has from the start, as a table: upstream's, as far as there is something behind them
// here. Kinds that may come later are left in where users' roles of upstream name them. From
// plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go and namespace_policy.go.
import type { ClusterRole, PolicyRule, Role } from '../../api/generated/types.ts';
import { CONTROLLER_PREFIX, CONTROLLER_RULES, OWN_RULES } from './controller-roles.ts';
import { ALL, EVENTS, paths, READ, rule, WRITE } from './policy-rule.ts';

export const BOOTSTRAP_LABELS: Readonly<Record<string, string>> = {
  'kubernetes.io/bootstrapping': 'rbac-defaults',
};
/** Objects that say `true` here are brought up to date at every start. */
export const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate';

const REVIEWS = [
  rule('create', 'authentication.k8s.io', 'tokenreviews'),
  rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
];
const ownLease = (name: string): PolicyRule[] => [
  rule('create', 'coordination.k8s.io', 'leases'),
  rule('get list update watch', 'coordination.k8s.io', 'leases', name),
];

const APPS_WITH_SCALE =
  'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale';
const APPS_FOR_VIEW =
  'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status';

const RULES: Readonly<Record<string, readonly PolicyRule[]>> = {
  'cluster-admin': [rule('*', '*', '*'), { verbs: ['*'], nonResourceURLs: ['*'] }],
  'system:discovery': [
    paths('/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/'),
  ],
  'system:monitoring': [paths('/healthz /healthz/* /livez /livez/* /metrics /readyz /readyz/*')],
  'system:public-info-viewer': [paths('/healthz /livez /readyz /version /version/')],
  'system:service-account-issuer-discovery': [
    paths(
      '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
    ),
  ],
  'system:basic-user': [
    rule('create', 'authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews'),
    rule('create', 'authentication.k8s.io', 'selfsubjectreviews'),
  ],
  'system:aggregate-to-admin': [
    rule('create', 'authorization.k8s.io', 'localsubjectaccessreviews'),
    rule(ALL, 'rbac.authorization.k8s.io', 'rolebindings roles'),
  ],
  'system:aggregate-to-edit': [
    rule(READ, 'core', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy'),
    rule('impersonate', 'core', 'serviceaccounts'),
    rule(WRITE, 'core', 'pods pods/attach pods/exec pods/portforward pods/proxy'),
    rule('create', 'core', 'pods/eviction'),
    rule(
      WRITE,
      'core',
      'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
    ),
    rule('create', 'core', 'serviceaccounts/token'),
    rule(WRITE, 'apps', APPS_WITH_SCALE),
    rule(WRITE, 'autoscaling', 'horizontalpodautoscalers'),
    rule(WRITE, 'batch', 'cronjobs jobs'),
    rule(WRITE, 'policy', 'poddisruptionbudgets'),
    rule(WRITE, 'networking.k8s.io', 'ingresses networkpolicies'),
    rule(ALL, 'coordination.k8s.io', 'leases'),
  ],
  'system:aggregate-to-view': [
    rule(
      READ,
      'core',
      'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status',
    ),
    rule(
      READ,
      'core',
      'bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status',
    ),
    rule(READ, 'core', 'namespaces'),
    rule(READ, 'discovery.k8s.io', 'endpointslices'),
    rule(READ, 'apps', APPS_FOR_VIEW),
    rule(READ, 'autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status'),
    rule(READ, 'batch', 'cronjobs cronjobs/status jobs jobs/status'),
    rule(READ, 'policy', 'poddisruptionbudgets poddisruptionbudgets/status'),
    rule(READ, 'networking.k8s.io', 'ingresses ingresses/status networkpolicies'),
  ],
  'system:auth-delegator': REVIEWS,
  'system:node-proxier': [
    rule('list watch', 'core', 'endpoints services'),
    rule(READ, 'core', 'nodes'),
    EVENTS,
    rule('list watch', 'discovery.k8s.io', 'endpointslices'),
    rule('list watch', 'networking.k8s.io', 'servicecidrs'),
  ],
  'system:kube-dns': [rule('list watch', 'core', 'endpoints services')],
  'system:persistent-volume-provisioner': [
    rule('create delete get list watch', 'core', 'persistentvolumes'),
    rule('get list update watch', 'core', 'persistentvolumeclaims'),
    rule(READ, 'storage.k8s.io', 'storageclasses'),
    rule('watch', 'core', 'events'),
    EVENTS,
  ],
  'system:kube-scheduler': [
    EVENTS,
    ...ownLease('kube-scheduler'),
    rule(READ, 'core', 'nodes'),
    rule('delete get list watch', 'core', 'pods'),
    rule('create', 'core', 'bindings pods/binding'),
    rule('patch update', 'core', 'pods/status'),
    rule(READ, 'core', 'replicationcontrollers services'),
    rule(READ, 'apps', 'replicasets statefulsets'),
    rule(READ, 'policy', 'poddisruptionbudgets'),
    rule('get list patch update watch', 'core', 'persistentvolumeclaims'),
    rule('get list patch update watch', 'core', 'persistentvolumes'),
    ...REVIEWS,
    rule(READ, 'storage.k8s.io', 'csidrivers csinodes csistoragecapacities storageclasses volumeattachments'),
    rule(READ, 'core', 'namespaces'),
  ],
  'system:kube-controller-manager': [
    EVENTS,
    ...ownLease('kube-controller-manager'),
    rule('create', 'core', 'secrets serviceaccounts'),
    rule('delete', 'core', 'secrets'),
    rule('get', 'core', 'configmaps namespaces secrets serviceaccounts'),
    rule('update', 'core', 'secrets serviceaccounts'),
    ...REVIEWS,
    rule('list watch', '*', '*'),
    rule('create', 'core', 'serviceaccounts/token'),
  ],
  ...OWN_RULES,
  ...Object.fromEntries(
    Object.entries(CONTROLLER_RULES).map(([name, rules]) => [CONTROLLER_PREFIX + name, rules]),
  ),
};

/** Which roles flow into others, by the label that says so. */
const AGGREGATED: Readonly<Record<string, string>> = { admin: 'admin', edit: 'edit', view: 'view' };
const FLOWS_INTO: Readonly<Record<string, string>> = {
  edit: 'admin',
  view: 'edit',
  'system:aggregate-to-admin': 'admin',
  'system:aggregate-to-edit': 'edit',
  'system:aggregate-to-view': 'view',
};

const aggregationLabel = (target: string): Record<string, string> => ({
  [`rbac.authorization.k8s.io/aggregate-to-${target}`]: 'true',
});

export function defaultClusterRoles(): ClusterRole[] {
  return [...Object.keys(RULES), ...Object.keys(AGGREGATED)].map((name) => {
    const into = FLOWS_INTO[name];
    const from = AGGREGATED[name];
    return {
      metadata: {
        name,
        labels: { ...BOOTSTRAP_LABELS, ...(into ? aggregationLabel(into) : {}) },
        annotations: { [AUTOUPDATE]: 'true' },
      },
      ...(from
        ? { aggregationRule: { clusterRoleSelectors: [{ matchLabels: aggregationLabel(from) }] } }
        : { rules: [...(RULES[name] ?? [])] }),
    };
  });
}

/** Roles of the system's own namespaces. */
export function defaultRoles(): Role[] {
  const leader = (name: string): PolicyRule[] => [
    rule('watch', 'core', 'configmaps'),
    rule('get update', 'core', 'configmaps', name),
  ];
  const roles: Array<[namespace: string, name: string, rules: PolicyRule[]]> = [
    [
      'kube-system',
      'extension-apiserver-authentication-reader',
      [rule(READ, 'core', 'configmaps', 'extension-apiserver-authentication')],
    ],
    ['kube-system', 'system::leader-locking-kube-controller-manager', leader('kube-controller-manager')],
    ['kube-system', 'system::leader-locking-kube-scheduler', leader('kube-scheduler')],
    [
      'kube-system',
      'stead:load-balancer-addresses',
      [
        rule('create', 'core', 'configmaps'),
        rule('get update', 'core', 'configmaps', 'load-balancer-addresses'),
      ],
    ],
  ];
  return roles.map(([namespace, name, rules]) => ({
    metadata: { namespace, name, labels: { ...BOOTSTRAP_LABELS }, annotations: { [AUTOUPDATE]: 'true' } },
    rules,
  }));
}
