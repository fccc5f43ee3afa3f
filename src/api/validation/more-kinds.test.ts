// Rules of the smaller kinds, one table for all: kind, manifest, what is changed in it, what is said.
import assert from 'node:assert/strict';
import test from 'node:test';
import { clusterRoleBindings } from '../resources/cluster-role-bindings/definition.ts';
import { csiNodes } from '../resources/csi-nodes/definition.ts';
import { endpointSlices } from '../resources/endpoint-slices/definition.ts';
import { events } from '../resources/events/definition.ts';
import { eventsV1 } from '../resources/events/events-v1.ts';
import { leases } from '../resources/leases/definition.ts';
import { limitRanges } from '../resources/limit-ranges/definition.ts';
import { namespaces } from '../resources/namespaces/definition.ts';
import { validateNamespaceFinalize } from '../resources/namespaces/validation.ts';
import { nodes } from '../resources/nodes/definition.ts';
import { podDisruptionBudgets } from '../resources/pod-disruption-budgets/definition.ts';
import { resourceQuotas } from '../resources/resource-quotas/definition.ts';
import { roleBindings } from '../resources/role-bindings/definition.ts';
import { secrets } from '../resources/secrets/definition.ts';
import { services } from '../resources/services/definition.ts';
import { volumeAttachments } from '../resources/volume-attachments/definition.ts';
import { type Changes, created, refusals, updateRefusals } from './test-manifests.ts';

const check = (name: string, actual: () => string[], expected: string[]): void => {
  test(name, () => assert.deepEqual(actual(), expected));
};

const SERVICE = 'metadata: {name: a}\nspec: {clusterIP: 10.96.0.9, ports: [{port: 80}]}';
const service =
  (changes: Changes): (() => string[]) =>
  () =>
    refusals(services, SERVICE, changes);
const ONLY = "Forbidden: may only be used when `type` is 'LoadBalancer'";
check('service: fine', service({}), []);
check(
  'service: ranges',
  service({ 'spec.type': 'LoadBalancer', 'spec.loadBalancerSourceRanges': ['10.0.0.1/8'] }),
  [
    'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length',
  ],
);
check(
  'service: only for balancers',
  service({ 'spec.loadBalancerClass': 'a/b', 'spec.loadBalancerSourceRanges': ['::/0'] }),
  [`spec.LoadBalancerSourceRanges: ${ONLY}`, `spec.loadBalancerClass: ${ONLY}`],
);
check('service: local traffic from nowhere', service({ 'spec.externalTrafficPolicy': 'Local' }), [
  'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
]);
check('service: families', service({ 'spec.ipFamilies': ['IPv6', 'IPv6'] }), [
  'spec.ipFamilies[1]: Duplicate value: "IPv6"',
  'spec.clusterIPs[0]: Invalid value: "10.96.0.9": expected an IPv6 value as indicated by `ipFamilies[0]`',
]);
check('service: distribution', service({ 'spec.trafficDistribution': 'PreferFar' }), [
  'spec.trafficDistribution: Unsupported value: "PreferFar": supported values: "PreferClose", "PreferSameNode", "PreferSameZone"',
]);
check('service: address that leads nowhere', service({ 'spec.externalIPs': ['169.254.1.1', '0.0.0.0'] }), [
  'spec.externalIPs[0]: Invalid value: "169.254.1.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
  'spec.externalIPs[1]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
]);
check('service: a status of no balancer', () => {
  const old = created(services, SERVICE);
  const next = { ...old, status: { loadBalancer: { ingress: [{ ip: '10.0.0.1' }] } } };
  return (services.strategy.validateStatusUpdate?.(next, old) ?? []).map(
    ({ field, body }) => `${field}: ${body}`,
  );
}, ["status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"]);

const SLICE =
  'metadata: {name: a}\naddressType: IPv4\nendpoints: [{addresses: [10.0.0.1]}]\nports: [{port: 80}]';
const slice =
  (changes: Changes): (() => string[]) =>
  () =>
    refusals(endpointSlices, SLICE, changes);
check('slice: fine', slice({}), []);
check(
  'slice: hints',
  slice({ 'endpoints.0.hints': { forZones: [{ name: 'a' }, { name: 'a' }, { name: '' }] } }),
  [
    'endpoints[0].hints.forZones[1].name: Duplicate value: "a"',
    'endpoints[0].hints.forZones[2].name: Required value',
  ],
);
check('slice: domain', slice({ addressType: 'FQDN', 'endpoints.0.addresses': ['host'] }), [
  'endpoints[0].addresses[0]: Invalid value: "host": should be a domain with at least two segments separated by dots',
]);
check('slice: mapped address', slice({ addressType: 'IPv6', 'endpoints.0.addresses': ['::ffff:10.0.0.1'] }), [
  'endpoints[0].addresses[0]: Invalid value: "::ffff:10.0.0.1": must not be an IPv4-mapped IPv6 address',
]);

const BINDING = `
metadata: {name: a}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}
subjects: [{kind: ServiceAccount, name: s}]`;
check('role binding: its own namespace is meant', () => refusals(roleBindings, BINDING), []);
check('cluster role binding', () => refusals(clusterRoleBindings, BINDING, { 'roleRef.kind': 'Role' }), [
  'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
  'subjects[0].namespace: Required value',
]);
check(
  'role binding: subjects',
  () => refusals(roleBindings, BINDING, { subjects: [{ kind: 'Robot', name: 'r' }] }),
  ['subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"'],
);

const QUOTA = 'metadata: {name: a}\nspec: {hard: {pods: "2", requests.cpu: "1"}}';
const quota =
  (changes: Changes): (() => string[]) =>
  () =>
    refusals(resourceQuotas, QUOTA, changes);
check('quota: fine', quota({ 'spec.scopes': ['NotBestEffort'], 'spec.hard.count/pods': undefined }), []);
check('quota: resources', quota({ 'spec.hard': { disk: '1', pods: '500m' } }), [
  'spec.hard[disk]: Invalid value: "disk": must be a standard resource type or fully qualified',
  'spec.hard[disk]: Invalid value: "disk": must be a standard resource for quota',
  'spec.hard[pods]: Invalid value: "500m": must be an integer',
]);
check('quota: scopes', quota({ 'spec.scopes': ['BestEffort', 'NotBestEffort'] }), [
  'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: unsupported scope applied to resource',
  'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes',
]);
check(
  'quota: selector',
  quota({ 'spec.scopeSelector.matchExpressions': [{ scopeName: 'PriorityClass', operator: 'In' }] }),
  [
    'spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is ' +
      "'In' or 'NotIn' for scope selector",
  ],
);

const LIMITS = 'metadata: {name: a}\nspec: {limits: [{type: Container, max: {cpu: "2"}, min: {cpu: "1"}}]}';
const limits =
  (changes: Changes): (() => string[]) =>
  () =>
    refusals(limitRanges, LIMITS, changes);
const L = 'spec.limits.0';
check('limits: fine', limits({}), []);
check('limits: ratio', limits({ [`${L}.maxLimitRequestRatio`]: { cpu: '3' } }), [
  'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000',
]);
check('limits: type', limits({ [`${L}.type`]: 'Box' }), [
  'spec.limits[0].type: Invalid value: "Box": must be a standard limit type or fully qualified',
]);
check('limits: claims', limits({ [L]: { type: 'PersistentVolumeClaim' } }), [
  'spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided',
]);

const CSI_NODE = 'metadata: {name: n}\nspec: {drivers: [{name: a.b, nodeID: n, topologyKeys: [zone]}]}';
check('CSI node: fine', () => refusals(csiNodes, CSI_NODE), []);
check('CSI node: bad', () => refusals(csiNodes, CSI_NODE, { 'spec.drivers.0.nodeID': '' }), [
  'spec.drivers[0].nodeID: Required value',
]);
check(
  'CSI node: room may change',
  () => updateRefusals(csiNodes, CSI_NODE, { 'spec.drivers.0.allocatable': { count: 3 } }),
  [],
);
check(
  'CSI node: identity may not',
  () => updateRefusals(csiNodes, CSI_NODE, { 'spec.drivers.0.nodeID': 'm' }),
  ['CSINodeDriver: Invalid value: {"name":"a.b","nodeID":"m","topologyKeys":["zone"]}: field is immutable'],
);

const ATTACHMENT =
  'metadata: {name: a}\nspec: {attacher: a.b, nodeName: n, source: {persistentVolumeName: pv}}';
check('attachment: fine', () => refusals(volumeAttachments, ATTACHMENT), []);
check('attachment: of what', () => refusals(volumeAttachments, ATTACHMENT, { 'spec.source': {} }), [
  'spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
]);
check('attachment: fixed', () => updateRefusals(volumeAttachments, ATTACHMENT, { 'spec.nodeName': 'm' }), [
  'spec: Invalid value: {"attacher":"a.b","nodeName":"m","source":{"persistentVolumeName":"pv"}}: field is immutable',
]);

const EVENT = 'metadata: {name: a, namespace: default}\ninvolvedObject: {kind: Pod, namespace: default}';
check('event: old style', () => refusals(events, EVENT), []);
check('event: beside its object', () => refusals(events, EVENT, { 'involvedObject.namespace': 'other' }), [
  'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
]);
check(
  'event: new style',
  () => refusals(events, EVENT, { eventTime: '2026-01-01T00:00:00.000000Z', reportingComponent: 'a' }),
  ['reportingInstance: Required value', 'action: Required value', 'reason: Required value'],
);
const EVENT_V1 = `
metadata: {name: a, namespace: default}
eventTime: "2026-01-01T00:00:00.000000Z"
regarding: {kind: Pod, namespace: default}
reportingController: example.com/c
reportingInstance: i
action: Do
reason: Done
type: Normal`;
check('events.k8s.io: fine', () => refusals(eventsV1, EVENT_V1), []);
check(
  'events.k8s.io: strict',
  () => refusals(eventsV1, EVENT_V1, { type: 'Odd', deprecatedCount: 1, series: { count: 1 } }),
  [
    'series.count: Invalid value: "": should be at least 2',
    'series.lastObservedTime: Required value',
    'type: Invalid value: "": has invalid value: Odd',
    'count: Invalid value: "": needs to be unset',
  ],
);
check('events.k8s.io: only the series goes on', () => updateRefusals(eventsV1, EVENT_V1, { note: 'x' }), [
  'message: Invalid value: "x": field is immutable',
]);

check('lease', () => refusals(leases, 'metadata: {name: a}\nspec: {strategy: Mine, preferredHolder: h}'), [
  'spec.strategy.strategy: Unsupported value: "Mine": supported values: "OldestEmulationVersion"',
]);
check('budget: what is reported', () => {
  const budget = created(podDisruptionBudgets, 'metadata: {name: a}\nspec: {minAvailable: 1}');
  const next = { ...budget, status: { ...budget.status, disruptionsAllowed: -1 } };
  const errors = podDisruptionBudgets.strategy.validateStatusUpdate?.(next, budget) ?? [];
  return errors.map(({ field, body }) => `${field}: ${body}`);
}, ['status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0']);

const NODE = 'metadata: {name: n}\nspec: {podCIDRs: [10.0.0.0/24], taints: [{key: a, effect: NoSchedule}]}';
check(
  'node: taint twice',
  () => refusals(nodes, NODE, { 'spec.taints.1': { key: 'a', effect: 'NoSchedule' } }),
  [
    'metadata.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}: taints must be unique by key and effect pair',
  ],
);
check('node: ranges', () => refusals(nodes, NODE, { 'spec.podCIDRs': ['10.0.0.0/33'] }), [
  'spec.podCIDRs[0]: Invalid value: "10.0.0.0/33": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
]);
check('node: range stays', () => updateRefusals(nodes, NODE, { 'spec.podCIDRs': ['10.0.1.0/24'] }), [
  'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
]);

test('namespaces: finalizers and phase', () => {
  const named = validateNamespaceFinalize({ metadata: {}, spec: { finalizers: ['kubernetes', 'mine'] } });
  assert.deepEqual(
    named.map(({ field }) => field),
    ['spec.finalizers[1]'],
  );
  const namespace = created(namespaces, 'metadata: {name: a}');
  const said = (phase: string): string[] =>
    (namespaces.strategy.validateStatusUpdate?.({ ...namespace, status: { phase } }, namespace) ?? []).map(
      ({ body }) => body,
    );
  assert.deepEqual(said('Active'), []);
  assert.deepEqual(said('Terminating'), [
    'Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
  ]);
});

check(
  'secret: a configuration that is none',
  () =>
    refusals(
      secrets,
      `metadata: {name: a}\ntype: kubernetes.io/dockerconfigjson\ndata: {.dockerconfigjson: eA==}`,
    ),
  ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": must be valid JSON'],
);
