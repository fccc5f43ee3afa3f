// What may change in a pod: its spec, its annotations, its ephemeral containers, and what a node reports of it.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../../generated/types.ts';
import { type Changes, created, updateRefusals } from '../../../validation/test-manifests.ts';
import { pods } from '../definition.ts';
import { validateEphemeralContainersUpdate } from './ephemeral-containers.ts';
import { validatePodSpec } from './spec.ts';

const POD = `
metadata: {name: web-0, namespace: default}
spec:
  serviceAccountName: default
  restartPolicy: OnFailure
  containers: [{name: nginx, image: 'nginx:1'}, {name: log, image: 'log:1', restartPolicy: Never}]
  initContainers: [{name: side, image: 'side:1', restartPolicy: Always}]
  nodeSelector: {a: b}
  volumes: [{name: www, emptyDir: {}}]`;
const GATED: Changes = { 'spec.schedulingGates': [{ name: 'a' }, { name: 'b' }] };
const said = (changes: Changes, stored: Changes = {}): string[] =>
  updateRefusals(pods, POD, changes, stored).map((error) =>
    error.replace(/(?<=not change fields).*\n/s, ':\n'),
  );

test('a pod that nobody schedules yet may be narrowed to fewer nodes', () => {
  const term = (value: string): object => ({
    matchExpressions: [{ key: 'k', operator: 'In', values: [value] }],
  });
  const affinity = (...terms: object[]): Changes => ({
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms': terms,
  });
  assert.deepEqual(said({ 'spec.nodeSelector.c': 'd', ...affinity(term('x')) }, GATED), []);
  assert.deepEqual(said({ 'spec.schedulingGates': [{ name: 'b' }] }, GATED), []);
  assert.deepEqual(said({ 'spec.schedulingGates': [{ name: 'c' }] }, GATED), [
    "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'c'",
  ]);
  assert.deepEqual(said({ 'spec.nodeSelector.a': 'x' }, GATED), [
    'spec.nodeSelector: Invalid value: {"a":"x"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
  ]);
  assert.match(
    `${said(affinity(term('y')), { ...GATED, ...affinity(term('x')) })}`,
    /nodeSelectorTerms\[0\]: Invalid value: .*: only additions are allowed \(no mutations or deletions\)$/,
  );
  assert.deepEqual(said({ 'spec.nodeSelector.c': 'd' }), [
    'spec: Forbidden: pod updates may not change fields:\n+ nodeSelector.c: "d"',
  ]);
});

test('what is no longer allowed is not held against a change of something else', () => {
  const stored = { 'spec.containers.0.name': 'Nginx', 'spec.volumes.0.name': 'W_W' };
  assert.deepEqual(said({ 'metadata.labels': { a: 'b' } }, stored), []);
  assert.notDeepEqual(said({ 'spec.containers.0.image': 'nginx:2' }, stored), []);
});

test('annotations of profiles and of mirror pods stay', () => {
  const key = 'container.apparmor.security.beta.kubernetes.io/nginx';
  assert.deepEqual(said({ 'metadata.annotations': { [key]: 'unconfined' } }), [
    `metadata.annotations[${key}]: Forbidden: may not add AppArmor annotations`,
  ]);
  assert.deepEqual(
    said({ 'metadata.annotations': {} }, { 'metadata.annotations': { 'kubernetes.io/config.mirror': 'x' } }),
    [
      'metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not remove or update mirror pod annotation',
    ],
  );
});

const sentences = (errors: readonly { field: string; body: string }[]): string[] =>
  errors.map(({ field, body }) => `${field}: ${body}`);

test('ephemeral containers: only added, and nothing for others to depend on', () => {
  const old = created(pods, POD);
  const withOnes = (...ephemeralContainers: object[]): Pod => {
    const list = ephemeralContainers.map((container) => ({
      image: 'a',
      imagePullPolicy: 'Always',
      terminationMessagePolicy: 'File',
      ...container,
    }));
    return { ...old, spec: { ...old.spec, ephemeralContainers: list as never } };
  };
  const check = (...list: object[]): string[] => sentences(validatePodSpec(withOnes(...list).spec, 'spec'));
  const at = 'spec.ephemeralContainers[0]';
  assert.deepEqual(check({ name: 'debug', targetContainerName: 'nginx', ports: [] }), []);
  assert.deepEqual(check({ name: 'debug', targetContainerName: 'other' }), [
    `${at}.targetContainerName: Not found: "other"`,
  ]);
  assert.deepEqual(check({ name: 'nginx' }), [`${at}.name: Duplicate value: "nginx"`]);
  assert.deepEqual(
    check({
      name: 'debug',
      image: ' a',
      ports: [{ containerPort: 80, protocol: 'TCP' }],
      volumeMounts: [{ name: 'www', mountPath: '/x', subPath: 'y' }],
    }),
    [
      `${at}.image: Invalid value: " a": must not have leading or trailing whitespace`,
      `${at}.ports: Forbidden: cannot be set for an Ephemeral Container`,
      `${at}.volumeMounts[0].subPath: Forbidden: cannot be set for an Ephemeral Container`,
    ],
  );
  const before = withOnes({ name: 'a' }, { name: 'b' });
  const change = (...list: object[]): string[] =>
    sentences(validateEphemeralContainersUpdate(withOnes(...list), before));
  assert.deepEqual(change({ name: 'c' }, { name: 'b' }, { name: 'a' }), []);
  assert.deepEqual(change({ name: 'a', image: 'x' }), [
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "a" may not be changed\n- image: "a"\n+ image: "x"',
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "b" may not be removed\n',
  ]);
});

const report = (now: object, before: object): string[] => {
  const old = { ...created(pods, POD), status: before };
  const next = { ...old, status: { ...before, ...now } };
  return sentences(pods.strategy.validateStatusUpdate?.(next, old) ?? []);
};
const ended = (name: string, exitCode: number): object => ({ name, state: { terminated: { exitCode } } });
const running = (name: string): object => ({ name, state: { running: {} } });

test('a container that ended for good does not run again', () => {
  const why = (list: string): string[] => [
    `status.${list}[0].state: Forbidden: may not be transitioned to non-terminated state`,
  ];
  const one = (field: string, name: string, exitCode: number): string[] =>
    report({ [field]: [running(name)] }, { [field]: [ended(name, exitCode)] });
  assert.deepEqual(one('containerStatuses', 'nginx', 1), []);
  assert.deepEqual(one('containerStatuses', 'nginx', 0), why('containerStatuses'));
  assert.deepEqual(one('containerStatuses', 'log', 1), why('containerStatuses'));
  assert.deepEqual(one('initContainerStatuses', 'side', 0), []);
  assert.deepEqual(one('ephemeralContainerStatuses', 'debug', 1), why('ephemeralContainerStatuses'));
});

test('a status: addresses, conditions, class of service, nominated node', () => {
  assert.deepEqual(report({ podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }], hostIP: 'a' }, {}), []);
  assert.deepEqual(report({ podIPs: [{ ip: '10.0.0.1' }, { ip: '10.0.0.1' }] }, {}), [
    'status.podIPs: Invalid value: [{"ip":"10.0.0.1"},{"ip":"10.0.0.1"}]: may specify no more than one IP for each IP family',
    'status.podIPs[1]: Duplicate value: {"ip":"10.0.0.1"}',
  ]);
  assert.deepEqual(report({ hostIP: '10.0.0.1', hostIPs: [{ ip: '10.0.0.2' }] }, {}), [
    'status.hostIPs[0].ip: Invalid value: "10.0.0.2": must be equal to `hostIP`',
  ]);
  assert.deepEqual(report({ qosClass: 'Guaranteed' }, { qosClass: 'Burstable' }), [
    'status.qosClass: Invalid value: "Guaranteed": field is immutable',
  ]);
  assert.match(`${report({ nominatedNodeName: 'N' }, {})}`, /^status\.nominatedNodeName: Invalid value: "N"/);
  assert.match(
    `${report({ conditions: [{ type: 'a b', status: 'True' }] }, {})}`,
    /^metadata\.conditions\[0\]\.Type: Invalid value: "a b"/,
  );
});
