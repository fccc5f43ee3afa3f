import assert from 'node:assert/strict';
import test from 'node:test';
import { type Changes, created, refusals, updateRefusals } from '../../validation/test-manifests.ts';
import { services } from './definition.ts';

const NGINX = `
metadata: {name: nginx, labels: {app: nginx}}
spec:
  ports: [{port: 80, name: web}]
  clusterIP: None
  selector: {app: nginx}`;
const WITH_ADDRESS = { 'spec.clusterIP': '10.96.0.9', 'spec.clusterIPs': ['10.96.0.9'] };

test('headless, and its addresses say so in both fields', () => {
  assert.deepEqual(refusals(services, NGINX), []);
  assert.deepEqual(created(services, NGINX).spec.clusterIPs, ['None']);
});

test('a name may begin with a digit, as other labels', () => {
  assert.deepEqual(services.validateName?.('0nginx'), []);
  assert.equal(services.validateName?.('a.b').length, 1);
});

const refused: readonly [string, Changes, string[]][] = [
  ['no ports', { 'spec.clusterIP': undefined, 'spec.ports': [] }, ['spec.ports: Required value']],
  [
    'headless balancer',
    { 'spec.type': 'LoadBalancer' },
    ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for LoadBalancer services'],
  ],
  [
    'type',
    { 'spec.type': 'Public' },
    [
      'spec.type: Unsupported value: "Public": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
  ],
  [
    'ports without names',
    { 'spec.ports': [{ port: 80 }, { port: 81 }] },
    ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'],
  ],
  [
    'the same port twice',
    {
      'spec.ports': [
        { port: 80, name: 'a' },
        { port: 80, name: 'b' },
      ],
    },
    [
      'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
    ],
  ],
  [
    'node port of a ClusterIP service',
    { 'spec.ports.0.nodePort': 30080 },
    ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
  ],
  [
    'address',
    { 'spec.clusterIP': '10.0.0' },
    [
      'spec.clusterIPs[0]: Invalid value: "10.0.0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  ],
  [
    'external name without one',
    { 'spec.type': 'ExternalName', 'spec.clusterIP': undefined },
    ['spec.externalName: Required value'],
  ],
];
for (const [name, changes, expected] of refused) {
  test(`refused: ${name}`, () => assert.deepEqual(refusals(services, NGINX, changes), expected));
}

test('an address stays, and may be left out of an update', () => {
  assert.deepEqual(
    updateRefusals(
      services,
      NGINX,
      { 'spec.clusterIP': undefined, 'spec.clusterIPs': undefined },
      WITH_ADDRESS,
    ),
    [],
  );
  for (const changes of [
    { 'spec.clusterIP': '10.96.0.8' },
    { 'spec.clusterIP': '10.96.0.8', 'spec.clusterIPs': ['10.96.0.8'] },
  ]) {
    assert.deepEqual(updateRefusals(services, NGINX, changes, WITH_ADDRESS), [
      'spec.clusterIPs[0]: Invalid value: ["10.96.0.8"]: may not change once set',
    ]);
  }
});

test('node ports that an update leaves out are kept', () => {
  const old = created(services, NGINX, {
    'spec.type': 'NodePort',
    'spec.clusterIP': '10.96.0.9',
    'spec.ports.0.nodePort': 30080,
  });
  const next = structuredClone(old);
  next.spec.ports = [
    { port: 443, name: 'tls', protocol: 'TCP' },
    { port: 80, name: 'web', protocol: 'TCP' },
  ];
  services.strategy.prepareForUpdate?.(next, old, { nowMs: 0 });
  assert.deepEqual(
    next.spec.ports.map(({ nodePort }) => nodePort),
    [undefined, 30080],
  );
});

test('of another type, a service loses what only the old one had', () => {
  const balancer = `
metadata: {name: a}
spec:
  type: LoadBalancer
  clusterIP: 10.96.0.9
  loadBalancerClass: example.com/b
  ports: [{port: 80, nodePort: 30080}]`;
  assert.deepEqual(refusals(services, balancer), []);
  assert.deepEqual(updateRefusals(services, balancer, { 'spec.type': 'ClusterIP' }), []);
  const old = created(services, balancer);
  const next = structuredClone(old);
  next.spec.type = 'ClusterIP';
  services.strategy.prepareForUpdate?.(next, old, { nowMs: 0 });
  assert.deepEqual(next.spec, {
    type: 'ClusterIP',
    clusterIP: '10.96.0.9',
    clusterIPs: ['10.96.0.9'],
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    sessionAffinity: 'None',
    internalTrafficPolicy: 'Cluster',
  });
  assert.deepEqual(
    updateRefusals(services, balancer, { 'spec.type': 'ClusterIP', 'spec.externalTrafficPolicy': 'Local' }),
    [
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
    ],
  );
});

test('a second address and family come and go; the first stays', () => {
  const yaml =
    'metadata: {name: a}\nspec: {clusterIP: 10.96.0.9, ipFamilies: [IPv4], ipFamilyPolicy: SingleStack, ports: [{port: 80}]}';
  const two = { 'spec.clusterIPs': ['10.96.0.9', 'fd00::9'], 'spec.ipFamilies': ['IPv4', 'IPv6'] };
  const one = { 'spec.clusterIPs': ['10.96.0.9'], 'spec.ipFamilies': ['IPv4'] };
  assert.deepEqual(updateRefusals(services, yaml, two), []);
  assert.deepEqual(updateRefusals(services, yaml, one, two), []);
  assert.deepEqual(
    updateRefusals(services, yaml, { ...one, 'spec.ipFamilyPolicy': 'PreferDualStack' }, two),
    [
      'spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be set to \'SingleStack\' when releasing the secondary clusterIP',
      'spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be set to \'SingleStack\' when releasing the secondary ipFamily',
    ],
  );
  assert.deepEqual(updateRefusals(services, yaml, { 'spec.ipFamilies': ['IPv6'] }), [
    'spec.ipFamilies[0]: Invalid value: ["IPv6"]: may not change once set',
    'spec.clusterIPs[0]: Invalid value: "10.96.0.9": expected an IPv6 value as indicated by `ipFamilies[0]`',
  ]);
});
