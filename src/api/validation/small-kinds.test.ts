// The kinds whose rules are few, and what holds for every kind.
import assert from 'node:assert/strict';
import test from 'node:test';
import { allResources } from '../resources/all.ts';
import { configMaps } from '../resources/config-maps/definition.ts';
import { controllerRevisions } from '../resources/controller-revisions/definition.ts';
import { endpointSlices } from '../resources/endpoint-slices/definition.ts';
import { endpoints } from '../resources/endpoints/definition.ts';
import { leases } from '../resources/leases/definition.ts';
import { namespaces } from '../resources/namespaces/definition.ts';
import { nodes } from '../resources/nodes/definition.ts';
import { podDisruptionBudgets } from '../resources/pod-disruption-budgets/definition.ts';
import { priorityClasses } from '../resources/priority-classes/definition.ts';
import { roleBindings } from '../resources/role-bindings/definition.ts';
import { secrets } from '../resources/secrets/definition.ts';
import { created, refusals, updateRefusals } from './test-manifests.ts';

for (const resource of allResources) {
  test(`${resource.plural}.${resource.group}: an object with nothing in it breaks nothing`, () => {
    const yaml = 'metadata: {name: a}';
    refusals(resource, yaml);
    updateRefusals(resource, yaml, {});
    const object = created(resource, yaml);
    for (const column of resource.columns) assert.notEqual(column.cell(object, 0), undefined, column.name);
    for (const read of Object.values(resource.selectableFields ?? {})) {
      assert.equal(typeof read(object), 'string');
    }
    resource.strategy.prepareForStatusUpdate?.(structuredClone(object), object, { nowMs: 0 });
    resource.strategy.validateStatusUpdate?.(object, object);
    resource.strategy.gracePeriodSeconds?.(object);
  });
}

const IMMUTABLE = 'Forbidden: field is immutable when `immutable` is set';

test('config maps', () => {
  const yaml = 'metadata: {name: a}\nimmutable: true\ndata: {key.conf: x}';
  assert.deepEqual(refusals(configMaps, yaml), []);
  assert.match(
    `${refusals(configMaps, 'metadata: {name: a}\ndata: {"a b": x}')}`,
    /^data\[a b\]: Invalid value: "a b": a valid config key must consist of/,
  );
  assert.deepEqual(updateRefusals(configMaps, yaml, { data: { 'key.conf': 'y' } }), [`data: ${IMMUTABLE}`]);
  assert.deepEqual(updateRefusals(configMaps, yaml, { immutable: false }), [`immutable: ${IMMUTABLE}`]);
});

test('secrets', () => {
  const yaml = 'metadata: {name: a}\nstringData: {password: "pässword"}\ndata: {password: eA==, user: eA==}';
  const secret = created(secrets, yaml);
  assert.deepEqual(secret.data, { password: Buffer.from('pässword').toString('base64'), user: 'eA==' });
  assert.equal(secret.stringData, undefined);
  assert.deepEqual(refusals(secrets, 'metadata: {name: a}\ntype: kubernetes.io/tls\ndata: {tls.crt: eA==}'), [
    'data[tls.key]: Required value',
  ]);
  assert.deepEqual(updateRefusals(secrets, yaml, { type: 'x' }), [
    'type: Invalid value: "x": field is immutable',
  ]);
});

test('namespaces keep the finalizer that empties them, and are Terminating once deleted', () => {
  const namespace = created(namespaces, 'metadata: {name: a}');
  assert.deepEqual([namespace.spec, namespace.status], [{ finalizers: ['kubernetes'] }, { phase: 'Active' }]);
  const next = { ...structuredClone(namespace), spec: {} };
  namespaces.strategy.prepareForUpdate?.(next, namespace, { nowMs: 0 });
  assert.deepEqual(next.spec, { finalizers: ['kubernetes'] });
});

test('endpoints and slices', () => {
  assert.deepEqual(refusals(endpoints, 'metadata: {name: a}\nsubsets: [{ports: [{port: 80}]}]'), [
    'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`',
  ]);
  const slice = 'metadata: {name: a}\naddressType: IPv4\nendpoints: [{addresses: [10.0.0.1]}]';
  assert.deepEqual(refusals(endpointSlices, slice), []);
  assert.deepEqual(refusals(endpointSlices, slice, { 'endpoints.0.addresses': ['::1'] }), [
    'endpoints[0].addresses[0]: Invalid value: "::1": must be an IPv4 address',
  ]);
  assert.deepEqual(
    updateRefusals(endpointSlices, slice, { addressType: 'FQDN' }).at(-1),
    'addressType: Invalid value: "FQDN": field is immutable',
  );
});

test('the data of a controller revision never changes', () => {
  const yaml = 'metadata: {name: a}\nrevision: 1\ndata: {spec: {a: 1}}';
  assert.deepEqual(updateRefusals(controllerRevisions, yaml, { revision: 2 }), []);
  assert.deepEqual(updateRefusals(controllerRevisions, yaml, { 'data.spec.a': 2 }), [
    'data: Invalid value: {"spec":{"a":2}}: field is immutable',
  ]);
  assert.deepEqual(refusals(controllerRevisions, 'metadata: {name: a}\nrevision: -1'), [
    'data: Required value: data is mandatory',
    'revision: Invalid value: -1: must be greater than or equal to 0',
  ]);
});

test('leases, nodes, budgets, priorities, bindings', () => {
  assert.deepEqual(refusals(leases, 'metadata: {name: a}\nspec: {leaseDurationSeconds: 0}'), [
    'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
  ]);
  assert.deepEqual(refusals(nodes, 'metadata: {name: a}\nspec: {taints: [{key: k, effect: Never}]}'), [
    'metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  ]);
  assert.deepEqual(
    refusals(podDisruptionBudgets, 'metadata: {name: a}\nspec: {minAvailable: 1, maxUnavailable: 1}'),
    [
      'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
    ],
  );
  assert.deepEqual(refusals(priorityClasses, 'metadata: {name: a}\nvalue: 2000000000'), [
    'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
  ]);
  assert.deepEqual(
    refusals(priorityClasses, 'metadata: {name: system-node-critical}\nvalue: 2000001000'),
    [],
  );
  const binding = `
metadata: {name: a}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: s, namespace: default}]`;
  assert.deepEqual(refusals(roleBindings, binding), []);
  assert.deepEqual(updateRefusals(roleBindings, binding, { 'roleRef.name': 'other' }), [
    'roleRef: Invalid value: {"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"other"}: cannot change roleRef',
  ]);
});
