// A cluster for the tests of names: the API over memory, the mirroring controller, and a DNS server on loopback, with an
// object of every sort that has a name.
import type { EndpointSlice, Pod, Service } from '../../src/api/generated/types.ts';
import { endpointSlices } from '../../src/api/resources/endpoint-slices/definition.ts';
import { endpoints } from '../../src/api/resources/endpoints/definition.ts';
import { pods } from '../../src/api/resources/pods/definition.ts';
import { services } from '../../src/api/resources/services/definition.ts';
import { runEndpointSliceMirroringController } from '../../src/controllers/endpointslice-mirroring/controller.ts';
import { type DnsServer, startDnsServer } from '../../src/network/dns/server.ts';
import { startTestControlPlane, type TestControlPlane } from '../../src/testing/test-control-plane.ts';

export const DOMAIN = 'default.svc.cluster.local';
const NAMESPACE = 'default';

export interface World {
  cluster: TestControlPlane;
  dns: DnsServer;
  service(name: string, spec: Partial<Service['spec']>): Promise<void>;
  slice(name: string, service: string, slice: Partial<EndpointSlice>): Promise<void>;
  pod(name: string, ip: string, ready: boolean, change?: { spec?: Partial<Pod['spec']> }): Promise<void>;
  /** Errors that the DNS server logged. */
  complaints: string[];
  stop(): Promise<void>;
}

/** @param beyond ports of the resolvers beyond, on loopback. */
export async function startWorld(...beyond: number[]): Promise<World> {
  const cluster = await startTestControlPlane();
  cluster.run(runEndpointSliceMirroringController(cluster.contextOf('endpointslice-mirroring')));
  const dns = await startDnsServer(cluster.context, {
    addresses: ['127.0.0.1'],
    port: 0,
    domain: 'cluster.local',
    forwardTo: async () => beyond.map((port) => ({ address: '127.0.0.1', port })),
  });
  const { client, clock, complaints } = cluster;
  const world: World = {
    cluster,
    complaints,
    dns,
    async service(name, spec) {
      await client.create(services, { metadata: { namespace: NAMESPACE, name }, spec });
      await clock.settle();
    },
    async slice(name, service, { metadata, ...slice }) {
      await client.create(endpointSlices, {
        addressType: 'IPv4',
        endpoints: [],
        ...slice,
        metadata: {
          namespace: NAMESPACE,
          name,
          labels: { 'kubernetes.io/service-name': service, ...metadata?.labels },
        },
      });
      await clock.settle();
    },
    async pod(name, ip, ready, change = {}) {
      await client.create(pods, {
        metadata: { namespace: NAMESPACE, name, labels: { app: name.replace(/-\d+$/, '') } },
        spec: { containers: [{ name: 'main', image: 'a' }], ...change.spec },
      });
      await cluster.runPod(name, ip, ready);
      await clock.settle();
    },
    async stop() {
      await dns.close();
      await cluster.stop();
    },
  };
  return world;
}

/** One object of every sort that the specification has names for. */
export async function furnish(world: World): Promise<void> {
  const http = { name: 'http', port: 80 };
  const dns = { name: 'dns', port: 53, protocol: 'UDP' as const };
  await world.service('plain', { clusterIP: '10.96.0.7', ports: [http, dns], selector: { app: 'plain' } });
  await world.service('unnamed', { clusterIP: '10.96.0.8', ports: [{ port: 80 }] });
  await world.service('set', { clusterIP: 'None', selector: { app: 'set' }, ports: [http] });
  const place = (name: string) => ({ spec: { hostname: name, subdomain: 'set' } });
  await world.pod('set-0', '10.244.0.10', true, place('set-0'));
  await world.pod('set-1', '10.244.0.11', true, place('set-1'));
  await world.pod('set-2', '10.244.0.12', false, place('set-2'));
  await world.pod('set-3', '10.244.0.13', true);
  await world.pod('plain-0', '10.244.0.20', true);
  await world.service('early', {
    clusterIP: 'None',
    selector: { app: 'early' },
    ports: [http],
    publishNotReadyAddresses: true,
  });
  await world.pod('early-0', '10.244.0.30', false, { spec: { hostname: 'early-0', subdomain: 'early' } });
  await world.service('empty', { clusterIP: 'None', selector: { app: 'nobody' }, ports: [http] });
  await world.service('peers', { clusterIP: 'None', ports: [http] });
  await world.slice('peers-by-hand', 'peers', {
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: [
      { addresses: ['10.9.0.1'], hostname: 'first', conditions: { ready: true } },
      { addresses: ['10.9.0.2'], conditions: { ready: true } },
      { addresses: ['10.9.0.3'], hostname: 'third', conditions: { ready: false } },
      { addresses: ['10.9.0.4', '10.9.0.5'], hostname: 'twice' },
    ],
  });
  await world.slice('peers-six', 'peers', {
    addressType: 'IPv6',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: [{ addresses: ['fd00:0:0::1'], hostname: 'first' }, { addresses: ['fd00::2'] }],
  });
  await world.service('legacy', { clusterIP: 'None', ports: [{ name: 'pg', port: 5432 }] });
  await world.cluster.client.create(endpoints, {
    metadata: { namespace: NAMESPACE, name: 'legacy' },
    subsets: [
      {
        addresses: [{ ip: '10.99.2.1', hostname: 'primary' }, { ip: '10.99.2.2' }],
        notReadyAddresses: [{ ip: '10.99.2.3', hostname: 'late' }],
        ports: [{ name: 'pg', port: 5432 }],
      },
    ],
  });
  const alias = (externalName: string): Partial<Service['spec']> => ({ type: 'ExternalName', externalName });
  await world.service('near', alias(`set-0.set.${DOMAIN}`));
  await world.service('nearer', alias(`near.${DOMAIN}`));
  await world.service('far', alias('www.example.org'));
  await world.service('circle', alias(`circle.${DOMAIN}`));
  await world.service('many', { clusterIP: 'None', ports: [http] });
  await world.slice('many-by-hand', 'many', {
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    endpoints: Array.from({ length: 90 }, (_, index) => ({ addresses: [`10.8.0.${index + 1}`] })),
  });
  await world.cluster.until(async () => {
    const { items } = await world.cluster.client.list(endpointSlices);
    return items.some(({ metadata }) => metadata.name.startsWith('legacy-'));
  }, 'the Endpoints are mirrored');
}
