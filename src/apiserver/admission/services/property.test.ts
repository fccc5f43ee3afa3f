// Whatever happens to Services, what is reserved is what they have: sequences of creates, updates, deletions, dry runs and
// writes that fail, at two servers on one store.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { IPAddress, Service } from '../../../api/generated/types.ts';
import { nameOf, type Stored } from '../../../api/objects.ts';
import { portsOf } from '../../../api/resources/services/node-ports.ts';
import { clusterIPsOf, serviceOf } from '../../../api/service-addresses.ts';
import { openMemoryStore } from '../../../store/memory.ts';
import type { Store } from '../../../store/store.ts';
import { DistantStore } from '../../../testing/distant-store.ts';
import { seededRandom } from '../../../testing/seeded-random.ts';
import { startTestServer, type TestServer } from '../../test-server.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const CIDRS = '10.96.0.0/28,fd00::/124';

const TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const;
const address = fc.constantFrom('None', '10.96.0.2', '10.96.0.3', 'fd00::2', '10.97.0.1', '10.96.0.15');
/** One after the other, more and more of a port. */
const port = fc.oneof(
  { weight: 4, arbitrary: fc.record({ port: fc.constantFrom(53, 80) }) },
  { weight: 1, arbitrary: fc.record({ port: fc.constantFrom(53, 80), protocol: fc.constant('UDP') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      port: fc.constantFrom(53, 80),
      nodePort: fc.constantFrom(30_001, 30_002, 29_000),
    }),
  },
);
/** What a Service may say beside its type; most of it means nothing to most types, and is refused. */
const saying = fc.oneof(
  fc.constant({}),
  fc.constant({}),
  address.map((clusterIP) => ({ clusterIP })),
  fc.constantFrom(
    { clusterIP: '10.96.0.4', clusterIPs: ['10.96.0.4', 'fd00::4'] },
    { clusterIP: '', clusterIPs: [] },
  ),
  fc
    .constantFrom<string[]>(['IPv4'], ['IPv6'], ['IPv4', 'IPv6'], ['IPv6', 'IPv4'])
    .map((ipFamilies) => ({ ipFamilies })),
  fc.constantFrom('Local', 'Cluster').map((externalTrafficPolicy) => ({ externalTrafficPolicy })),
  fc
    .constantFrom(30_001, 30_003)
    .map((healthCheckNodePort) => ({ externalTrafficPolicy: 'Local', healthCheckNodePort })),
  fc.constant({ allocateLoadBalancerNodePorts: false }),
);
const policy = fc.constantFrom(undefined, 'SingleStack', 'PreferDualStack', 'RequireDualStack');
const anySpec = fc
  .record({
    type: fc.constantFrom(...TYPES),
    policy,
    saying,
    ports: fc.uniqueArray(port, { minLength: 1, maxLength: 3, selector: (each) => JSON.stringify(each) }),
  })
  .map(({ type, policy: ipFamilyPolicy, saying: more, ports }) => ({
    type,
    ...(type === 'ExternalName'
      ? { externalName: 'example.com' }
      : { ...(ipFamilyPolicy && { ipFamilyPolicy }), ...more }),
    ports: ports.map((each, index) => ({ name: `p${index}`, ...each })),
  }));

const step = fc.record({
  verb: fc.constantFrom('create', 'create', 'update', 'update', 'patch', 'finalize', 'delete'),
  name: fc.constantFrom(...NAMES),
  server: fc.nat(1),
  dryRun: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  spec: anySpec,
  /** Made at once with the next one. */
  together: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take(server: TestServer, { verb, name, dryRun, spec }: Step): Promise<void> {
  const options = { dryRun };
  switch (verb) {
    case 'create':
      return void (await server.handle('create', 'services', {
        body: { metadata: { name }, spec },
        options,
      }));
    case 'update':
      return void (await server.handle('update', 'services', {
        name,
        body: { metadata: { name }, spec },
        options,
      }));
    case 'patch':
      return void (await server.handle('patch', 'services', {
        name,
        patchType: 'merge',
        body: { spec: { ...spec, ports: undefined } },
        options,
      }));
    case 'finalize': {
      const now = await server.object<Service>('get', 'services', { name });
      const finalizers = now.metadata.finalizers ? [] : ['example.com/f'];
      const subresource = spec.ports.length > 1 ? { subresource: 'status' } : {};
      return void (await server.handle('update', 'services', {
        name,
        ...subresource,
        body: { ...now, metadata: { ...now.metadata, finalizers } },
        options,
      }));
    }
    case 'delete':
      return void (await server.handle('delete', 'services', { name, options }));
  }
}

/** What there is, as `what owner`, on both sides: what is reserved, and what Services have. */
async function sides(server: TestServer, store: Store): Promise<{ reserved: string[]; had: string[] }> {
  const { items: services } = await server.list('list', 'services');
  const { items: objects } = await server.list('list', 'ipaddresses');
  const { entries } = await store.list('/reservations/nodeports/');
  const addresses = (objects as Stored<IPAddress>[]).map(
    (object) => `${object.metadata.name} ${nameOf(serviceOf(object) ?? {})}`,
  );
  const reserved = entries.map(({ key, value }) => {
    const { owner } = JSON.parse(Buffer.from(value).toString()) as { owner: string };
    return `${key.split('/').at(-1)} ${owner}`;
  });
  const had = (services as Stored<Service>[]).flatMap(({ spec, metadata }) =>
    [...clusterIPsOf(spec), ...portsOf(spec)].map((thing) => `${thing} ${nameOf(metadata)}`),
  );
  return { reserved: [...addresses, ...reserved].sort(), had: had.sort() };
}

test('what is reserved is what Services have, whatever was asked', async () => {
  const outcomes = { done: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 30, size: 'max' }),
      fc.nat(1000),
      async (steps, seed) => {
        const store = openMemoryStore();
        const random = seededRandom(seed);
        // Far away, every third time.
        const turns = (): number => (seed % 3 === 0 ? Math.floor(random.next() * 4) : 0);
        const seen = (): Store => new DistantStore(store, turns);
        const a = await startTestServer({ store: seen(), serviceCidr: CIDRS, seed: seed + 1 });
        const b = await startTestServer({
          store: seen(),
          serviceCidr: CIDRS,
          clock: a.clock,
          seed: seed + 2,
        });
        const servers = [a, b];
        let running: Promise<void>[] = [];
        for (const each of steps) {
          const server = servers[each.server];
          assert.ok(server);
          const done = take(server, each).then(
            () => void outcomes.done++,
            (error: unknown) => {
              // A refusal is as good as any other end, a failure is not.
              assert.ok(error instanceof Error && 'status' in error, `${error}`);
              outcomes.refused++;
            },
          );
          running.push(done);
          if (each.together) continue;
          await Promise.all(running);
          running = [];
          const { reserved, had } = await sides(a, store);
          assert.deepEqual(reserved, had);
        }
        await Promise.all(running);
        const { reserved, had } = await sides(a, store);
        assert.deepEqual(reserved, had);
        for (const { api } of servers) api.stop();
      },
    ),
    { numRuns: 150 },
  );
  // The sequences do something.
  assert.ok(outcomes.done > 500 && outcomes.refused > 500, JSON.stringify(outcomes));
});
