// What each controller may do, as a table: upstream's roles, of the controllers that there are here, and those of parts
// that are stead's own. A controller acts as a service account in kube-system that is called as its role. From
// plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go.
import type { PolicyRule } from '../../api/generated/types.ts';
import { EVENTS, READ, rule } from './policy-rule.ts';

export const CONTROLLER_PREFIX = 'system:controller:';

/** By the name of the account. */
export const CONTROLLER_RULES: Readonly<Record<string, readonly PolicyRule[]>> = {
  'clusterrole-aggregation-controller': [
    // It gives roles what it does not have itself.
    rule('escalate get list patch update watch', 'rbac.authorization.k8s.io', 'clusterroles'),
  ],
  'disruption-controller': [
    rule(READ, 'apps', 'deployments replicasets statefulsets'),
    rule(READ, 'core', 'replicationcontrollers'),
    rule(READ, 'policy', 'poddisruptionbudgets'),
    rule('update', 'policy', 'poddisruptionbudgets/status'),
    rule('patch update', 'core', 'pods/status'),
    rule('get', '*', '*/scale'),
    EVENTS,
  ],
  'endpoint-controller': [
    rule(READ, 'core', 'pods services'),
    rule('create delete get list update watch', 'core', 'endpoints'),
    rule('create', 'core', 'endpoints/restricted'),
    EVENTS,
  ],
  'endpointslice-controller': [
    rule(READ, 'core', 'nodes pods services'),
    rule('update', 'core', 'services/finalizers'),
    rule('create delete get list update watch', 'discovery.k8s.io', 'endpointslices'),
    EVENTS,
  ],
  'endpointslicemirroring-controller': [
    rule(READ, 'core', 'endpoints services'),
    rule('update', 'core', 'endpoints/finalizers services/finalizers'),
    rule('create delete get list update watch', 'discovery.k8s.io', 'endpointslices'),
    EVENTS,
  ],
  'ephemeral-volume-controller': [
    rule(READ, 'core', 'pods'),
    rule('update', 'core', 'pods/finalizers'),
    rule('create get list watch', 'core', 'persistentvolumeclaims'),
    EVENTS,
  ],
  'expand-controller': [
    rule('get list patch update watch', 'core', 'persistentvolumes'),
    rule('patch update', 'core', 'persistentvolumeclaims/status'),
    rule(READ, 'core', 'persistentvolumeclaims'),
    EVENTS,
  ],
  'generic-garbage-collector': [rule('delete get list patch update watch', '*', '*'), EVENTS],
  'namespace-controller': [
    rule('delete get list watch', 'core', 'namespaces'),
    rule('update', 'core', 'namespaces/finalize namespaces/status'),
    rule('delete deletecollection get list watch', '*', '*'),
  ],
  'node-controller': [
    rule('delete get list patch update watch', 'core', 'nodes'),
    rule('patch update', 'core', 'nodes/status pods/status'),
    rule('delete get list watch', 'core', 'pods'),
    EVENTS,
  ],
  'persistent-volume-binder': [
    rule('create delete get list update watch', 'core', 'persistentvolumes'),
    rule('update', 'core', 'persistentvolumeclaims/status persistentvolumes/status'),
    rule('get list update watch', 'core', 'persistentvolumeclaims'),
    rule('create delete get list watch', 'core', 'pods'),
    rule(READ, 'storage.k8s.io', 'storageclasses'),
    rule('list watch', 'core', 'nodes'),
    EVENTS,
    rule('watch', 'core', 'events'),
  ],
  'pod-garbage-collector': [
    rule('delete list watch', 'core', 'pods'),
    rule(READ, 'core', 'nodes'),
    rule('patch', 'core', 'pods/status'),
  ],
  'pv-protection-controller': [rule('get list update watch', 'core', 'persistentvolumes'), EVENTS],
  'pvc-protection-controller': [
    rule('get list update watch', 'core', 'persistentvolumeclaims'),
    rule('update', 'core', 'persistentvolumeclaims/status'),
    rule(READ, 'core', 'pods'),
    EVENTS,
  ],
  'resourcequota-controller': [
    rule('list watch', '*', '*'),
    rule('update', 'core', 'resourcequotas/status'),
    EVENTS,
  ],
  'root-ca-cert-publisher': [rule('create update', 'core', 'configmaps'), EVENTS],
  'service-account-controller': [rule('create', 'core', 'serviceaccounts'), EVENTS],
  'service-controller': [
    rule(READ, 'core', 'services'),
    rule('patch update', 'core', 'services/status'),
    rule('list watch', 'core', 'nodes'),
    EVENTS,
  ],
  'service-cidrs-controller': [
    rule('get list patch update watch', 'networking.k8s.io', 'servicecidrs'),
    rule('patch update', 'networking.k8s.io', 'servicecidrs/finalizers servicecidrs/status'),
    rule(READ, 'networking.k8s.io', 'ipaddresses'),
    EVENTS,
  ],
  'statefulset-controller': [
    rule('create delete get list patch update watch', 'core', 'pods'),
    rule(READ, 'apps', 'statefulsets'),
    rule('update', 'apps', 'statefulsets/finalizers statefulsets/status'),
    rule('create delete get list patch update watch', 'apps', 'controllerrevisions'),
    rule('create delete get list update watch', 'core', 'persistentvolumeclaims'),
    rule('update', 'core', 'pods/finalizers'),
    EVENTS,
  ],
};

/** Two controllers of upstream's that are one here: it acts as one of the two, with the rights of both. */
export const ALSO_BOUND_TO: Readonly<Record<string, readonly string[]>> = {
  'pv-protection-controller': ['pvc-protection-controller'],
  'root-ca-cert-publisher': ['service-account-controller'],
};

/** What stead brings along where others install something: roles that are called as what has them. */
export const OWN_RULES: Readonly<Record<string, readonly PolicyRule[]>> = {
  // What upstream's API server does by itself: the repair of Services' addresses, the ServiceCIDR of its own ranges.
  'stead:service-addresses': [
    rule(READ, 'core', 'services'),
    rule('create delete get list watch', 'networking.k8s.io', 'ipaddresses'),
    rule('create get list update watch', 'networking.k8s.io', 'servicecidrs'),
    EVENTS,
  ],
  // As kubeadm gives CoreDNS, and what else of the cluster's network reads from the same caches.
  'system:coredns': [
    rule('list watch', 'core', 'endpoints namespaces pods services'),
    rule('list watch', 'discovery.k8s.io', 'endpointslices'),
    rule('list watch', 'networking.k8s.io', 'networkpolicies'),
  ],
  // As an external provisioner has it: system:persistent-volume-provisioner, and the nodes that it places volumes on.
  'stead:local-provisioner': [
    rule('create delete get list watch', 'core', 'persistentvolumes'),
    rule('get list update watch', 'core', 'persistentvolumeclaims'),
    rule(READ, 'storage.k8s.io', 'storageclasses'),
    rule(READ, 'core', 'nodes'),
    EVENTS,
  ],
  // The API server's own Service, which upstream's server keeps as an administrator.
  'stead:kubernetes-service': [
    rule('create delete get list update watch', 'core', 'endpoints services'),
    rule('create delete get list update watch', 'discovery.k8s.io', 'endpointslices'),
  ],
  // Each node looks for the volumes whose bytes it keeps; what it does with those, node.ts allows it.
  'stead:local-volumes': [rule('list watch', 'core', 'persistentvolumes')],
};
