// What Services are given, and in which words they are refused, at servers with one and with two families of addresses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IPAddress, Service, ServiceSpec } from '../../../api/generated/types.ts';
import { nameOf, type Stored } from '../../../api/objects.ts';
import { openMemoryStore } from '../../../store/memory.ts';
import { encodeStored } from '../../codec.ts';
import { storeKey } from '../../keys.ts';
import { refusal } from '../../test-objects.ts';
import { startTestServer, type TestServer } from '../../test-server.ts';
import { serviceAllocation } from './service-allocation.ts';

const BOTH = '10.96.0.0/16,fd00::/108';
const start = (serviceCidr: string): Promise<TestServer> => startTestServer({ serviceCidr });
const body = (name: string, spec: Partial<ServiceSpec>): object => ({
  metadata: { name },
  spec: { ports: [{ port: 80 }], ...spec },
});
const create = (
  server: TestServer,
  name: string,
  spec: Partial<ServiceSpec> = {},
): Promise<Stored<Service>> => server.object<Service>('create', 'services', { body: body(name, spec) });
const update = (server: TestServer, name: string, spec: Partial<ServiceSpec>): Promise<Stored<Service>> =>
  server.object<Service>('update', 'services', { name, body: body(name, spec) });
const why = async (made: Promise<unknown>): Promise<string> => {
  const { message = '', reason } = await refusal(made);
  return message.replace(/^Service "\w+" is invalid: /, reason === 'Invalid' ? '' : `${reason}: `);
};
const addresses = async (server: TestServer): Promise<string[]> =>
  (await server.list('list', 'ipaddresses')).items.map(({ metadata }) => metadata.name).sort();
/** Policy, families, and the family of each address. */
const families = ({ spec }: Service): unknown[] => [
  spec.ipFamilyPolicy,
  spec.ipFamilies,
  (spec.clusterIPs ?? []).map((address) =>
    address === 'None' ? address : address.includes(':') ? 'IPv6' : 'IPv4',
  ),
];

test('an address is an object that names its Service', async () => {
  const server = await start(BOTH);
  const made = await create(server, 'a', { ipFamilyPolicy: 'PreferDualStack' });
  const { clusterIP, clusterIPs = [] } = made.spec;
  assert.equal(clusterIP, clusterIPs[0]);
  assert.deepEqual(await addresses(server), [...clusterIPs].sort());
  const four = await server.object<IPAddress>('get', 'ipaddresses', { name: clusterIPs[0] ?? '' });
  const six = await server.object<IPAddress>('get', 'ipaddresses', { name: clusterIPs[1] ?? '' });
  assert.deepEqual(
    [four.metadata.labels, six.metadata.labels],
    [
      {
        'ipaddress.kubernetes.io/ip-family': 'IPv4',
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
      {
        'ipaddress.kubernetes.io/ip-family': 'IPv6',
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
    ],
  );
  assert.deepEqual(four.spec, { parentRef: { resource: 'services', namespace: 'default', name: 'a' } });
  await server.handle('delete', 'services', { name: 'a' });
  assert.deepEqual(await addresses(server), []);
});

test('an address that somebody holds stays taken until they let go', async () => {
  const server = await start(BOTH);
  await create(server, 'a', { clusterIP: '10.96.0.9' });
  const held = (finalizers: string[]): Promise<unknown> =>
    server.handle('patch', 'ipaddresses', {
      name: '10.96.0.9',
      patchType: 'merge',
      body: { metadata: { finalizers } },
    });
  await held(['example.com/f']);
  await server.handle('delete', 'services', { name: 'a' });
  const found = await server.object<IPAddress>('get', 'ipaddresses', { name: '10.96.0.9' });
  assert.ok(found.metadata.deletionTimestamp);
  assert.match(
    await why(create(server, 'b', { clusterIP: '10.96.0.9' })),
    /provided IP is already allocated/,
  );
  await held([]);
  await create(server, 'b', { clusterIP: '10.96.0.9' });
});

test('what nobody asks for comes from the upper part of a range, until that is full', async () => {
  const server = await start('10.96.0.0/27');
  const given: number[] = [];
  for (let i = 0; i < 29; i++) {
    const { spec } = await create(server, `s${i}`);
    given.push(Number(spec.clusterIP?.split('.').at(-1)));
  }
  // Of 30, 16 are left for those who ask, and the first of those is the API server's.
  assert.deepEqual(
    given.slice(0, 14).sort((a, b) => a - b),
    Array.from({ length: 14 }, (_, i) => 17 + i),
  );
  assert.deepEqual(
    given.slice(14).sort((a, b) => a - b),
    Array.from({ length: 15 }, (_, i) => 2 + i),
  );
  assert.equal(
    await why(create(server, 'more')),
    'Internal error occurred: failed to allocate a serviceIP for Service "more": range is full',
  );
  await create(server, 'api', { clusterIP: '10.96.0.1' });
});

test('an address that is asked for', async () => {
  const server = await start(BOTH);
  await create(server, 'a', { clusterIP: '10.96.0.9' });
  const refused = (spec: Partial<ServiceSpec>): Promise<string> => why(create(server, 'b', spec));
  const taken = (list: string[], address: string, reason: string): string =>
    `spec.clusterIPs: Invalid value: ${JSON.stringify(list)}: failed to allocate IP ${address}: ${reason}`;
  const elsewhere = 'the provided network does not match the current range';
  assert.equal(
    await refused({ clusterIP: '10.96.0.9' }),
    taken(['10.96.0.9'], '10.96.0.9', 'provided IP is already allocated'),
  );
  for (const address of ['10.97.0.1', '10.96.0.0', '10.96.255.255', 'fd00:1::9', 'fd00::']) {
    assert.equal(await refused({ clusterIP: address }), taken([address], address, elsewhere));
  }
  assert.equal(
    await refused({ clusterIP: '10.96.0' }),
    'spec.clusterIPs[0]: Invalid value: "10.96.0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  );
  assert.deepEqual(families(await create(server, 'six', { clusterIP: 'FD00::9' })), [
    'SingleStack',
    ['IPv6'],
    ['IPv6'],
  ]);
  assert.equal(
    await refused({ clusterIP: 'fd00::9' }),
    taken(['fd00::9'], 'fd00::9', 'provided IP is already allocated'),
  );
  // Nothing is left of what was refused after something was given.
  const both = ['10.96.0.7', 'fd00::9'];
  assert.equal(
    await refused({ clusterIP: '10.96.0.7', clusterIPs: both, ipFamilyPolicy: 'RequireDualStack' }),
    taken(both, 'fd00::9', 'provided IP is already allocated'),
  );
  assert.deepEqual(await addresses(server), ['10.96.0.9', 'fd00::9']);
  // However it was written.
  await server.handle('delete', 'services', { name: 'six' });
  assert.deepEqual(await addresses(server), ['10.96.0.9']);
});

const single: [spec: Partial<ServiceSpec>, expected: unknown][] = [
  [{}, ['SingleStack', ['IPv4'], ['IPv4']]],
  [{ ipFamilyPolicy: 'PreferDualStack' }, ['PreferDualStack', ['IPv4'], ['IPv4']]],
  [{ clusterIP: 'None', selector: { a: 'b' } }, ['SingleStack', ['IPv4'], ['None']]],
  [{ clusterIP: 'None' }, ['RequireDualStack', ['IPv4', 'IPv6'], ['None']]],
  [{ clusterIP: 'None', ipFamilies: ['IPv6'] }, ['RequireDualStack', ['IPv6', 'IPv4'], ['None']]],
  [{ type: 'ExternalName', externalName: 'a.example.com' }, [undefined, undefined, []]],
  [
    { ipFamilyPolicy: 'RequireDualStack' },
    'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
  ],
  [{ ipFamilies: ['IPv6'] }, 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'],
  [
    { clusterIP: 'fd00::9' },
    'spec.clusterIPs[0]: Invalid value: ["fd00::9"]: IPv6 is not configured on this cluster',
  ],
  [
    {
      clusterIP: 'None',
      selector: { a: 'b' },
      ipFamilyPolicy: 'RequireDualStack',
      ipFamilies: ['IPv4', 'IPv6'],
    },
    '[spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services, spec.ipFamilies[1]: Invalid value: "IPv6": not configured on this cluster]',
  ],
];
const dual: typeof single = [
  [{}, ['SingleStack', ['IPv4'], ['IPv4']]],
  [{ ipFamilies: ['IPv6'] }, ['SingleStack', ['IPv6'], ['IPv6']]],
  [{ ipFamilyPolicy: 'PreferDualStack' }, ['PreferDualStack', ['IPv4', 'IPv6'], ['IPv4', 'IPv6']]],
  [
    { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6'] },
    ['RequireDualStack', ['IPv6', 'IPv4'], ['IPv6', 'IPv4']],
  ],
  [
    { ipFamilyPolicy: 'PreferDualStack', clusterIP: 'fd00::9' },
    ['PreferDualStack', ['IPv6', 'IPv4'], ['IPv6', 'IPv4']],
  ],
  [{ clusterIP: 'None', selector: { a: 'b' } }, ['SingleStack', ['IPv4'], ['None']]],
  [
    { clusterIP: 'None', selector: { a: 'b' }, ipFamilyPolicy: 'PreferDualStack' },
    ['PreferDualStack', ['IPv4', 'IPv6'], ['None']],
  ],
  [
    { ipFamilies: ['IPv4', 'IPv6'] },
    "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
  ],
  [
    { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9', 'fd00::9'] },
    "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified",
  ],
  [
    { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.8'] },
    'spec.clusterIPs: Invalid value: ["10.96.0.8"]: first value must match `clusterIP`',
  ],
  [
    { clusterIPs: ['10.96.0.8'] },
    'spec.clusterIPs: Invalid value: ["10.96.0.8"]: must be empty when `clusterIP` is not specified',
  ],
];
for (const [cidr, cases] of [
  ['10.96.0.0/16', single],
  [BOTH, dual],
] as const) {
  for (const [spec, expected] of cases) {
    test(`families at ${cidr}: ${JSON.stringify(spec)}`, async () => {
      const server = await start(cidr);
      const made = create(server, 'a', spec);
      if (typeof expected === 'string') {
        assert.equal(await why(made), expected);
        assert.deepEqual(await addresses(server), []);
      } else assert.deepEqual(families(await made), expected);
    });
  }
}

test('a second address and family come and go; the first ones stay', async () => {
  const server = await start(BOTH);
  const made = await create(server, 'a');
  const wider = await update(server, 'a', { ipFamilyPolicy: 'PreferDualStack' });
  assert.deepEqual(families(wider), ['PreferDualStack', ['IPv4', 'IPv6'], ['IPv4', 'IPv6']]);
  assert.equal(wider.spec.clusterIP, made.spec.clusterIP);
  assert.deepEqual(await addresses(server), [...(wider.spec.clusterIPs ?? [])].sort());
  const { clusterIPs: _, ...one } = wider.spec;
  assert.equal(
    await why(update(server, 'a', { ...one, clusterIPs: [made.spec.clusterIP ?? ''] })),
    'spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be \'SingleStack\' to release the secondary cluster IP',
  );
  assert.equal(
    await why(update(server, 'a', { ...wider.spec, ipFamilies: ['IPv4'] })),
    'spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be \'SingleStack\' to release the secondary IP family',
  );
  const body = { spec: { ipFamilyPolicy: 'SingleStack' } };
  const narrow = await server.object<Service>('patch', 'services', { name: 'a', patchType: 'merge', body });
  assert.deepEqual(families(narrow), ['SingleStack', ['IPv4'], ['IPv4']]);
  assert.deepEqual(await addresses(server), [made.spec.clusterIP]);
  assert.match(
    await why(update(server, 'a', { clusterIP: '10.96.0.9' })),
    /^spec.clusterIPs\[0\]: Invalid value: \["10.96.0.9"\]: may not change once set$/,
  );
});

test('a Service that becomes an external name loses what it had, and gets it anew', async () => {
  const server = await start(BOTH);
  await create(server, 'a', { ipFamilyPolicy: 'RequireDualStack', type: 'NodePort' });
  const body = { spec: { type: 'ExternalName', externalName: 'example.com' } };
  const external = await server.object<Service>('patch', 'services', { name: 'a', patchType: 'merge', body });
  assert.deepEqual(external.spec, {
    type: 'ExternalName',
    externalName: 'example.com',
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    sessionAffinity: 'None',
  });
  assert.deepEqual(await addresses(server), []);
  assert.equal((await server.store.list('/reservations/')).entries.length, 0);
  assert.equal(
    await why(
      update(server, 'a', { type: 'ExternalName', externalName: 'b.example.com', clusterIP: '10.96.0.9' }),
    ),
    'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
  );
  const again = await update(server, 'a', { clusterIP: '10.96.0.9' });
  assert.deepEqual(families(again), ['SingleStack', ['IPv4'], ['IPv4']]);
  assert.deepEqual(await addresses(server), ['10.96.0.9']);
  const headless = await create(server, 'b', { clusterIP: 'None' });
  assert.equal(headless.spec.clusterIP, 'None');
  assert.match(
    await why(update(server, 'b', { clusterIP: '10.96.0.8' })),
    /spec.clusterIPs\[0\]: Invalid value: \["10.96.0.8"\]: may not change once set/,
  );
  assert.deepEqual(await addresses(server), ['10.96.0.9']);
});

test('node ports: any from the upper part, one for a port of both protocols, and the one that is asked for its health', async () => {
  const server = await start(BOTH);
  const dns = [
    { name: 'tcp', port: 53 },
    { name: 'udp', port: 53, protocol: 'UDP' },
  ];
  const shared = await create(server, 'dns', { type: 'NodePort', ports: dns });
  const [one, other] = shared.spec.ports ?? [];
  assert.ok(one?.nodePort !== undefined && one.nodePort === other?.nodePort && one.nodePort > 30_085);
  const balancer = await create(server, 'lb', {
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    ports: [{ port: 80, nodePort: 30_001 }],
    healthCheckNodePort: 30_002,
  });
  assert.equal(balancer.spec.healthCheckNodePort, 30_002);
  const asking = (nodePort: number): Promise<string> =>
    why(create(server, 'np', { type: 'NodePort', ports: [{ port: 80, nodePort }] }));
  assert.equal(
    await asking(30_002),
    'spec.ports[0].nodePort: Invalid value: 30002: provided port is already allocated',
  );
  assert.equal(
    await asking(29_999),
    'spec.ports[0].nodePort: Invalid value: 29999: provided port is not in the valid range. The range of valid ports is 30000-32767',
  );
  const health = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 30_001 };
  assert.equal(
    await why(create(server, 'np', health)),
    'Internal error occurred: failed to allocate requested HealthCheck NodePort 30001: provided port is already allocated',
  );
  const without = await create(server, 'none', {
    type: 'LoadBalancer',
    allocateLoadBalancerNodePorts: false,
  });
  assert.equal(without.spec.ports?.[0]?.nodePort, undefined);
  // The check goes with the policy, and is kept where nobody speaks of it.
  const ports = [{ port: 80, nodePort: 30_001 }];
  const kept = await update(server, 'lb', { type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports });
  assert.equal(kept.spec.healthCheckNodePort, 30_002);
  const gone = await update(server, 'lb', { type: 'LoadBalancer', externalTrafficPolicy: 'Cluster', ports });
  assert.equal(gone.spec.healthCheckNodePort, undefined);
  await create(server, 'np', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_002 }] });
});

test('the lower part of the node ports is given last, and what nobody has after all', async () => {
  const server = await start(BOTH);
  const nodePort = async (name: string): Promise<number> =>
    (await create(server, name, { type: 'NodePort' })).spec.ports?.[0]?.nodePort ?? 0;
  const reserve = async (from: number, to: number): Promise<void> => {
    for (let port = from; port <= to; port++) {
      const holder = { owner: 'default/lost', atMs: server.clock.now() };
      await server.store.put(`/reservations/nodeports/${port}`, Buffer.from(JSON.stringify(holder)), 0);
    }
  };
  await reserve(30_086, 32_766);
  assert.equal(await nodePort('last'), 32_767);
  assert.ok((await nodePort('low')) <= 30_085);
  await reserve(30_000, 30_085);
  assert.equal(
    await why(nodePort('none')),
    'Internal error occurred: failed to allocate a nodePort: range is full',
  );
  server.clock.advance(121_000);
  const again = await nodePort('again');
  assert.ok(again >= 30_000 && again < 32_767);
});

test('a balancer from before its health was asked for gets a port with its next change', async () => {
  const server = await start(BOTH);
  const made = await create(server, 'a', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' });
  const { healthCheckNodePort: _, ...spec } = made.spec;
  const key = storeKey(server.resource('services'), made.metadata);
  const revision = Number(made.metadata.resourceVersion);
  const before: Service = { ...made, spec };
  const written = await server.store.put(key, encodeStored(before), revision);
  assert.ok(written.ok);
  const changed = await server.object<Service>('patch', 'services', {
    name: 'a',
    patchType: 'merge',
    body: { metadata: { labels: { a: 'b' } } },
  });
  assert.ok(changed.spec.healthCheckNodePort);
});

test('who only asks what would be takes nothing', async () => {
  const server = await start(BOTH);
  const options = { dryRun: true };
  const shown = await server.object<Service>('create', 'services', {
    body: body('a', {
      type: 'NodePort',
      ports: [
        { name: 'a', port: 1 },
        { name: 'b', port: 2 },
      ],
    }),
    options,
  });
  assert.deepEqual(
    [shown.spec.clusterIP, shown.spec.ports?.map(({ nodePort }) => nodePort)],
    ['10.96.0.0', [32_769, 32_770]],
  );
  await create(server, 'b', { clusterIP: '10.96.0.9' });
  const asked = body('a', { clusterIP: '10.96.0.9' });
  assert.match(
    await why(server.handle('create', 'services', { body: asked, options })),
    /provided IP is already allocated/,
  );
  assert.deepEqual(await addresses(server), ['10.96.0.9']);
  assert.equal((await server.store.list('/reservations/')).entries.length, 0);
});

test('what Services had before there were objects that say so is theirs', async () => {
  const store = openMemoryStore();
  const before = await startTestServer({ store });
  const spec: Partial<ServiceSpec> = {
    type: 'NodePort',
    clusterIP: '10.96.0.9',
    ports: [{ port: 80, nodePort: 30_007 }],
  };
  await create(before, 'a', spec);
  await before.handle('delete', 'ipaddresses', { name: '10.96.0.9' });
  for (const { key, revision } of (await store.list('/reservations/')).entries)
    await store.delete(key, revision);
  before.api.stop();
  const server = await startTestServer({ store });
  assert.match(
    await why(create(server, 'b', { clusterIP: '10.96.0.9' })),
    /provided IP is already allocated/,
  );
  assert.match(
    await why(create(server, 'b', { ...spec, clusterIP: '10.96.0.8' })),
    /provided port is already allocated/,
  );
  const found = await server.object<IPAddress>('get', 'ipaddresses', { name: '10.96.0.9' });
  assert.equal(nameOf({ name: found.spec.parentRef?.name }), 'a');
});

test('ranges that are none are refused at the start', () => {
  assert.throws(() => serviceAllocation('10.96.0.0'), /"10.96.0.0" is not a usable range for Services/);
  assert.throws(() => serviceAllocation('10.96.0.0/31'), /is not a usable range/);
  assert.throws(() => serviceAllocation('10.96.0.0/16,10.97.0.0/16'), /more than one range of each family/);
});
