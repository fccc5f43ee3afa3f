import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes } from '../authz/authorize.ts';
import { evaluate, parsePolicy } from './policy.ts';

const head = 'apiVersion: audit.k8s.io/v1\nkind: Policy\n';
const alice = { name: 'alice', groups: ['people', 'system:authenticated'] };

function asked(verb: string, path: string, namespace = 'default'): Attributes {
  if (path.startsWith('/')) return { path, verb };
  const [resource = '', name] = path.split(' ');
  const [full = '', group = ''] = resource.split('.');
  const [plural = '', subresource] = full.split('/');
  return { verb, resource: { group, plural }, subresource, namespace: namespace || undefined, name };
}

test('the first rule that matches decides', () => {
  const policy = parsePolicy(`${head}omitStages: [RequestReceived]
rules:
- level: None
  users: [bob]
- level: Request
  userGroups: [admins]
- level: Metadata
  verbs: [delete]
- level: RequestResponse
  omitStages: [Panic]
  omitManagedFields: true
  resources:
  - group: apps
    resources: [statefulsets, '*/scale']
  - resources: [pods]
    resourceNames: [web-0]
  - resources: ['nodes/*']
- level: Metadata
  namespaces: [kube-system]
- level: Metadata
  nonResourceURLs: ['/healthz*', '/version']
- level: Request
  namespaces: ['']
`);
  const level = (verb: string, path: string, namespace?: string, user = alice): string =>
    evaluate(policy, user, asked(verb, path, namespace)).level;
  assert.equal(level('get', 'secrets', 'default', { ...alice, name: 'bob' }), 'None');
  assert.equal(level('get', '/x', '', { name: 'eve', groups: ['admins'] }), 'Request');
  assert.equal(level('delete', 'pods web-1'), 'Metadata');
  assert.equal(level('get', 'statefulsets.apps'), 'RequestResponse');
  assert.equal(level('get', 'statefulsets/status.apps'), 'None');
  assert.equal(level('get', 'statefulsets/scale.apps'), 'RequestResponse');
  assert.equal(level('get', 'deployments/scale.apps'), 'RequestResponse');
  assert.equal(level('get', 'pods web-0'), 'RequestResponse');
  assert.equal(level('get', 'pods web-1'), 'None');
  assert.equal(level('patch', 'nodes/status a', ''), 'RequestResponse');
  assert.equal(level('get', 'secrets', 'kube-system'), 'Metadata');
  assert.equal(level('get', '/healthz/etcd'), 'Metadata');
  assert.equal(level('get', '/version'), 'Metadata');
  assert.equal(level('get', '/versions'), 'None');
  assert.equal(level('list', 'persistentvolumes', ''), 'Request');
  const config = evaluate(policy, alice, asked('get', 'pods web-0'));
  assert.deepEqual([[...config.omitStages], config.omitManagedFields], [['RequestReceived', 'Panic'], true]);
});

test('a policy that cannot be used says what is wrong with which field', () => {
  const cases: [text: string, why: RegExp][] = [
    ['[]', /not an object of kind Policy/],
    ['kind: Policy', /apiVersion audit\.k8s\.io\/v1/],
    [head, /loaded illegal policy with 0 rules/],
    [`${head}rules: [{}]`, /^rules\[0\]\.level: Required value$/],
    [
      `${head}rules: [{level: All}]`,
      /^rules\[0\]\.level: Unsupported value: "All": supported values: "None"/,
    ],
    [
      `${head}rules: [{level: None, verbs: get}]`,
      /^rules\[0\]\.verbs: Invalid value: "get": must be a list of strings$/,
    ],
    [`${head}rules: [{level: None, nonResourceURLs: [x]}]`, /must begin with a '\/' character/],
    [`${head}rules: [{level: None, nonResourceURLs: [/a*b]}]`, /must be the final character/],
    [`${head}rules: [{level: None, nonResourceURLs: [/a], namespaces: [b]}]`, /cannot apply to both/],
    [
      `${head}rules: [{level: None, resources: [{group: A/v1}]}]`,
      /^rules\[0\]\.resources\[0\]\.group: Invalid value: "A\/v1"/,
    ],
    [`${head}rules: [{level: None, resources: [{resourceNames: [a]}]}]`, /requires at least one resource/],
    [
      `${head}omitStages: [Later]\nrules: [{level: None}]`,
      /^omitStages\[0\]: Invalid value: "Later": allowed stages are/,
    ],
  ];
  for (const [text, why] of cases)
    assert.throws(
      () => parsePolicy(text),
      ({ message }: Error) => why.test(message),
      text,
    );
});
