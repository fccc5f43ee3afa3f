// Rules of networking.k8s.io, in upstream's words: kind, manifest, what is changed in it, what is said.
import assert from 'node:assert/strict';
import test from 'node:test';
import { networkPolicies } from '../resources/network-policies/definition.ts';
import { type Changes, created, refusals, updateRefusals } from './test-manifests.ts';

const check = (name: string, actual: () => string[], expected: string[]): void => {
  test(name, () => assert.deepEqual(actual(), expected));
};

const POLICY = `
metadata: {name: a}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {}}]
    ports: [{port: 80, endPort: 90}, {port: http}, {}]
  egress:
  - to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]`;
const policy =
  (changes: Changes): (() => string[]) =>
  () =>
    refusals(networkPolicies, POLICY, changes);
const IN = 'spec.ingress.0';
const OUT = 'spec.egress.0';

check('policy: fine', policy({}), []);
test('policy: defaults', () => {
  const both = created(networkPolicies, POLICY);
  assert.deepEqual(both.spec?.policyTypes, ['Ingress', 'Egress']);
  assert.deepEqual(
    both.spec?.ingress?.[0]?.ports?.map(({ protocol }) => protocol),
    ['TCP', 'TCP', 'TCP'],
  );
  const all = created(networkPolicies, 'metadata: {name: a}\nspec: {egress: []}');
  assert.deepEqual(all.spec, { podSelector: {}, policyTypes: ['Ingress'] });
});
check('policy: ports', policy({ [`${IN}.ports`]: [{ port: 0, endPort: 70000 }, { protocol: 'ICMP' }] }), [
  'spec.ingress[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
  'spec.ingress[0].ports[0].endPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
  'spec.ingress[0].ports[1].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"',
]);
check(
  'policy: ends',
  policy({ [`${IN}.ports`]: [{ port: 80, endPort: 79 }, { port: 'http', endPort: 1 }, { endPort: 2 }] }),
  [
    'spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`',
    'spec.ingress[0].ports[1].endPort: Invalid value: 1: may not be specified when `port` is non-numeric',
    'spec.ingress[0].ports[2].endPort: Invalid value: 2: may not be specified when `port` is not specified',
  ],
);
check('policy: name of a port', policy({ [`${IN}.ports`]: [{ port: 'A' }] }), [
  'spec.ingress[0].ports[0].port: Invalid value: "A": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
  'spec.ingress[0].ports[0].port: Invalid value: "A": must contain at least one letter (a-z)',
]);
check(
  'policy: peers',
  policy({ [`${IN}.from`]: [{}, { podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }] }),
  [
    'spec.ingress[0].from[0]: Required value: must specify a peer',
    'spec.ingress[0].from[1]: Forbidden: may not specify both ipBlock and another peer',
  ],
);
check('policy: no range', policy({ [`${OUT}.to`]: [{ ipBlock: { cidr: '' } }] }), [
  'spec.egress[0].to[0].ipBlock.cidr: Required value',
]);
check(
  'policy: ranges',
  policy({
    [`${OUT}.to.0.ipBlock`]: { cidr: '10.0.0.0/8', except: ['10.0.0.0/8', 'fd00::/8', '10.0.0.1/9', 'x'] },
  }),
  [
    'spec.egress[0].to[0].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`',
    'spec.egress[0].to[0].ipBlock.except[1]: Invalid value: "fd00::/8": must be a strict subset of `cidr`',
    'spec.egress[0].to[0].ipBlock.except[2]: Invalid value: "10.0.0.1/9": must not have bits set beyond the prefix length',
    'spec.egress[0].to[0].ipBlock.except[3]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
  ],
);
check('policy: types', policy({ 'spec.policyTypes': ['Both'] }), [
  'spec.policyTypes[0]: Unsupported value: "Both": supported values: "Ingress", "Egress"',
]);
check('policy: many types', policy({ 'spec.policyTypes': ['Ingress', 'Egress', 'Ingress'] }), [
  'spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes',
]);
check('policy: labels', policy({ 'spec.podSelector.matchLabels': { 'a b': 'c' } }), [
  'spec.podSelector.matchLabels: Invalid value: "a b": name part must consist of alphanumeric characters, ' +
    "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or " +
    "'123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
]);
check(
  'policy: a bad range that was there stays',
  () =>
    updateRefusals(
      networkPolicies,
      POLICY,
      { 'spec.policyTypes': ['Egress'] },
      { [`${OUT}.to.0.ipBlock`]: { cidr: '10.0.0.1/8', except: ['10.1.0.1/16'] } },
    ),
  [],
);
test('policy: warnings of forms that others may not read', () => {
  const object = created(networkPolicies, POLICY, { [`${OUT}.to.0.ipBlock`]: { cidr: 'FD00:0::/8' } });
  assert.deepEqual(networkPolicies.strategy.warnings?.(object), [
    'spec.egress[0].to[0].ipBlock.cidr: IPv6 CIDR value "FD00:0::/8" should be in RFC 5952 canonical format ("fd00::/8")',
  ]);
});
