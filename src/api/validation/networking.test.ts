// Rules of networking.k8s.io, in upstream's words: kind, manifest, what is changed in it, what is said.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ingressClasses } from '../resources/ingress-classes/definition.ts';
import { ingresses } from '../resources/ingresses/definition.ts';
import { ipAddresses } from '../resources/ip-addresses/definition.ts';
import { networkPolicies } from '../resources/network-policies/definition.ts';
import { serviceCidrs } from '../resources/service-cidrs/definition.ts';
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

const INGRESS = `
metadata: {name: a}
spec:
  tls: [{hosts: [a.example.com, '*.example.com'], secretName: cert}]
  rules:
  - host: a.example.com
    http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: 1a, port: {name: http}}}}]}
  - host: '*.example.com'`;
const ingress =
  (changes: Changes): (() => string[]) =>
  () =>
    refusals(ingresses, INGRESS, changes);
const PATH = 'spec.rules.0.http.paths.0';
const AT = 'spec.rules[0].http.paths[0]';

check('ingress: fine', ingress({}), []);
check('ingress: nothing in it', ingress({ 'spec.rules': undefined }), [
  'spec: Invalid value: null: either `defaultBackend` or `rules` must be specified',
]);
check('ingress: hosts', ingress({ 'spec.rules': [{ host: '10.0.0.1' }, { host: 'a.*.b' }] }), [
  'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
  `spec.rules[1].host: Invalid value: "a.*.b": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
]);
check('ingress: no paths', ingress({ 'spec.rules.0.http': { paths: [] } }), [
  'spec.rules[0].http.paths: Required value',
]);
check('ingress: no type of a path', ingress({ [`${PATH}.pathType`]: undefined }), [
  `${AT}.pathType: Required value: pathType must be specified`,
]);
check('ingress: type of a path', ingress({ [`${PATH}.pathType`]: 'Regex' }), [
  `${AT}.pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
]);
check('ingress: paths', ingress({ [`${PATH}.path`]: 'a//b%2f/..' }), [
  `${AT}.path: Invalid value: "a//b%2f/..": must be an absolute path`,
  `${AT}.path: Invalid value: "a//b%2f/..": must not contain '//'`,
  `${AT}.path: Invalid value: "a//b%2f/..": must not contain '%2f'`,
  `${AT}.path: Invalid value: "a//b%2f/..": cannot end with '/..'`,
]);
check(
  'ingress: any path that its controller knows',
  ingress({ [`${PATH}.pathType`]: 'ImplementationSpecific', [`${PATH}.path`]: '//' }),
  [],
);
check('ingress: two backends', ingress({ [`${PATH}.backend.resource`]: { kind: 'A', name: 'a' } }), [
  `${AT}.backend: Invalid value: "": cannot set both resource and service backends`,
]);
check('ingress: no backend', ingress({ [`${PATH}.backend`]: {} }), [
  `${AT}.backend: Invalid value: "": resource or service backend is required`,
]);
check(
  'ingress: backends',
  ingress({ 'spec.defaultBackend': { resource: { apiGroup: 'A', kind: '', name: '..' } } }),
  [
    "spec.defaultBackend.resource.apiGroup: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    'spec.defaultBackend.resource.kind: Required value',
    `spec.defaultBackend.resource.name: Invalid value: "..": may not be '..'`,
  ],
);
check(
  'ingress: ports',
  ingress({
    [`${PATH}.backend.service.port`]: {},
    'spec.defaultBackend': { service: { name: 'a', port: { name: 'a', number: 1 } } },
  }),
  [
    'spec.defaultBackend: Invalid value: "": cannot set both port name & port number',
    `${AT}.backend: Required value: port name or number is required`,
  ],
);
check('ingress: number of a port', ingress({ [`${PATH}.backend.service`]: { port: { number: 70000 } } }), [
  `${AT}.backend.service.name: Required value`,
  `${AT}.backend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive`,
]);
check(
  'ingress: two classes',
  ingress({ 'metadata.annotations': { 'kubernetes.io/ingress.class': 'a' }, 'spec.ingressClassName': 'b' }),
  [
    'annotations.kubernetes.io/ingress.class: Invalid value: "a": must match `ingressClassName` when both are specified',
  ],
);
check(
  'ingress: a bad secret',
  () => refusals(ingresses, INGRESS, { 'spec.tls.0.secretName': 'A' }).map((each) => each.slice(0, 46)),
  ['spec.tls[0].secretName: Invalid value: "A": a '],
);
check(
  'ingress: a bad secret that was there stays',
  () => updateRefusals(ingresses, INGRESS, { 'spec.tls.0.hosts': [] }, { 'spec.tls.0.secretName': 'A' }),
  [],
);
check(
  'ingress: rules of a wildcard that were bad may stay',
  () =>
    updateRefusals(
      ingresses,
      INGRESS,
      { 'spec.tls': [] },
      { 'spec.rules.1.http': { paths: [{ pathType: 'Exact', path: 'a', backend: {} }] } },
    ),
  [],
);

const CLASS = 'metadata: {name: a}\nspec: {controller: example.com/c, parameters: {kind: Config, name: c}}';
const ingressClass =
  (changes: Changes): (() => string[]) =>
  () =>
    refusals(ingressClasses, CLASS, changes);
check('class: fine', ingressClass({}), []);
check('class: no controller', ingressClass({ 'spec.controller': undefined }), [
  'spec.controller: Required value',
]);
check('class: controllers', ingressClass({ 'spec.controller': 'c' }), [
  'spec.controller: Invalid value: "c": must be a domain-prefixed path (such as "acme.io/foo")',
]);
check('class: path of a controller', ingressClass({ 'spec.controller': 'example.com/a b' }), [
  `spec.controller: Invalid value: "a b": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')`,
]);
check('class: namespace of the cluster', ingressClass({ 'spec.parameters.namespace': 'a' }), [
  "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'",
]);
check('class: no namespace', ingressClass({ 'spec.parameters.scope': 'Namespace' }), [
  "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
]);
check('class: scope', ingressClass({ 'spec.parameters.scope': 'World' }), [
  'spec.parameters.scope: Unsupported value: "World": supported values: "Cluster", "Namespace"',
]);
check(
  'class: its controller stays',
  () => updateRefusals(ingressClasses, CLASS, { 'spec.controller': 'example.com/d' }),
  ['spec.controller: Invalid value: "example.com/d": field is immutable'],
);

const RANGES = 'metadata: {name: a}\nspec: {cidrs: [10.96.0.0/16]}';
const ranges =
  (...cidrs: string[]): (() => string[]) =>
  () =>
    refusals(serviceCidrs, RANGES, { 'spec.cidrs': cidrs });
const changedRanges =
  (...cidrs: string[]): (() => string[]) =>
  () =>
    updateRefusals(serviceCidrs, RANGES, { 'spec.cidrs': cidrs });
check('ranges: fine', ranges('10.96.0.0/16', 'fd00::/108'), []);
check('ranges: none', ranges(), ['spec.cidrs: Required value: at least one CIDR required']);
check('ranges: three', ranges('a', 'b', 'c'), [
  'spec.cidrs: Invalid value: {"cidrs":["a","b","c"]}: may only hold up to 2 values',
]);
check('ranges: of one family', ranges('10.96.0.0/16', '10.97.0.0/16'), [
  'spec.cidrs: Invalid value: ["10.96.0.0/16","10.97.0.0/16"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
]);
check('ranges: forms', ranges('10.96.0.1/16', 'FD00::/108'), [
  'spec.cidrs[0]: Invalid value: "10.96.0.1/16": must not have bits set beyond the prefix length',
  'spec.cidrs[1]: Invalid value: "FD00::/108": must be in canonical form ("fd00::/108")',
]);
check('ranges: a second one may come', changedRanges('10.96.0.0/16', 'fd00::/108'), []);
check('ranges: a second one of the other family', changedRanges('10.96.0.0/16', '10.97.0.0/16'), [
  'spec.cidrs: Invalid value: ["10.96.0.0/16","10.97.0.0/16"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
]);
check('ranges: the first one stays', changedRanges('10.97.0.0/16'), [
  'spec.cidrs[0]: Invalid value: "10.97.0.0/16": field is immutable',
]);
check('ranges: none goes', changedRanges(), ['spec.cidrs: Invalid value: []: field is immutable']);

const IP =
  'metadata: {name: 10.96.0.9}\nspec: {parentRef: {resource: services, namespace: default, name: a}}';
check('address: fine', () => refusals(ipAddresses, IP), []);
check('address: nobody has it', () => refusals(ipAddresses, IP, { spec: {} }), [
  'spec.parentRef: Required value',
]);
check(
  'address: who has it',
  () =>
    refusals(ipAddresses, IP, { 'spec.parentRef': { group: 'A', namespace: '..' } }).map((each) =>
      each.slice(0, 70),
    ),
  [
    'spec.parentRef.group: Invalid value: "A": a lowercase RFC 1123 subdoma',
    'spec.parentRef.resource: Required value',
    'spec.parentRef.name: Required value',
    `spec.parentRef.namespace: Invalid value: "..": may not be '..'`,
  ],
);
check('address: who has it stays', () => updateRefusals(ipAddresses, IP, { 'spec.parentRef.name': 'b' }), [
  'spec.parentRef: Invalid value: {"resource":"services","namespace":"default","name":"b"}: field is immutable',
]);
test('address: its name is one, in the one form that there is', () => {
  const reasons = (name: string): string[] | undefined => ipAddresses.validateName?.(name);
  assert.deepEqual(
    ['10.96.0.9', 'fd00::9'].flatMap((name) => reasons(name) ?? [name]),
    [],
  );
  assert.deepEqual(reasons('FD00:0::9'), ['must be in canonical form ("fd00::9")']);
  assert.deepEqual(reasons('010.96.0.9'), ['must not have leading 0s']);
  assert.deepEqual(reasons('::ffff:10.96.0.9'), ['must not be an IPv4-mapped IPv6 address']);
  assert.deepEqual(reasons('a'), ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']);
});
