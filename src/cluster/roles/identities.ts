// As whom each part of the cluster acts: the users of upstream's components, of its controllers' service accounts, and of
// nodes. What they may do is written in the default roles (apiserver/authz).

import { AUTHENTICATED } from '../../apiserver/authn/authenticate.ts';
import { MASTERS } from '../../apiserver/authz/authorize.ts';
import { NODE_PREFIX, NODES_GROUP } from '../../apiserver/authz/node.ts';
import type { User } from '../../apiserver/request.ts';

const component = (name: string): User => ({ name, groups: [AUTHENTICATED] });

/** Who made the cluster, and who does for its administrator what the command asks for. Nothing else acts as it. */
export const ADMINISTRATOR: User = { name: 'system:stead', groups: [MASTERS, AUTHENTICATED] };
/** Reads for all controllers: what it has seen, they share. */
export const CONTROLLER_MANAGER = component('system:kube-controller-manager');
export const SCHEDULER = component('system:kube-scheduler');
/** The cluster's DNS server. */
export const DNS = serviceAccount('coredns');

/** A node, and what of stead runs on it. */
export const nodeUser = (nodeName: string): User => ({
  name: NODE_PREFIX + nodeName,
  groups: [NODES_GROUP, AUTHENTICATED],
});

/** The accounts in kube-system of what controllers.ts runs, by the names it has there. */
const ACCOUNTS: Readonly<Record<string, string>> = {
  statefulset: 'statefulset-controller',
  claims: 'persistent-volume-binder',
  provisioner: 'local-provisioner',
  expander: 'expand-controller',
  endpointslices: 'endpointslice-controller',
  endpoints: 'endpoint-controller',
  'endpointslice-mirroring': 'endpointslicemirroring-controller',
  'ephemeral-volumes': 'ephemeral-volume-controller',
  garbage: 'generic-garbage-collector',
  'kubernetes-service': 'kubernetes-service-controller',
  'load-balancer': 'service-controller',
  namespace: 'namespace-controller',
  'service-accounts': 'service-account-controller',
  'service-addresses': 'service-addresses',
  'service-cidrs': 'service-cidrs-controller',
  protection: 'pvc-protection-controller',
  'pod-gc': 'pod-garbage-collector',
  nodes: 'node-controller',
  disruption: 'disruption-controller',
  'resource-quota': 'resourcequota-controller',
  'cluster-role-aggregation': 'clusterrole-aggregation-controller',
};

/** @throws Error for a controller without an identity: nothing acts as nobody. */
export function controllerUser(controller: string): User {
  if (controller === 'scheduler') return SCHEDULER;
  const account = ACCOUNTS[controller];
  if (account === undefined)
    throw new Error(`the ${controller} controller has no account: give it one in identities.ts`);
  return serviceAccount(account);
}

function serviceAccount(name: string): User {
  return {
    name: `system:serviceaccount:kube-system:${name}`,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', AUTHENTICATED],
  };
}
