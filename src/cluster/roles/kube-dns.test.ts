import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { EndpointSlice } from '../../api/generated/types.ts';
import { endpointSlices } from '../../api/resources/endpoint-slices/definition.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { startTestControlPlane, type TestControlPlane } from '../../testing/test-control-plane.ts';
import { ensureKubeDns } from './kube-dns.ts';

const KEY = { namespace: 'kube-system', name: 'kube-dns' };
const CIDR = '10.96.0.0/16';

describe('kube-dns', () => {
  let cluster: TestControlPlane;
  before(async () => {
    cluster = await startTestControlPlane();
    await cluster.client.create(namespaces, { metadata: { name: 'kube-system' }, spec: {} });
  });
  after(() => cluster.stop());
  const ensure = (server: string): Promise<void> => ensureKubeDns(cluster.client, CIDR, server);
  const slices = async (): Promise<EndpointSlice[]> =>
    (await cluster.client.list(endpointSlices, { namespace: KEY.namespace })).items;
  const leadsTo = async (): Promise<unknown[]> =>
    (await slices()).flatMap(({ endpoints = [], ports = [] }) =>
      endpoints.flatMap(({ addresses }) =>
        ports.map(({ port, protocol }) => `${addresses} ${protocol} ${port}`),
      ),
    );

  it('is at the tenth address, and leads nowhere where the server is on loopback', async () => {
    await ensure('127.0.0.1:4711');
    const { spec } = await cluster.client.get(services, KEY);
    assert.equal(spec.clusterIP, '10.96.0.10');
    assert.deepEqual(
      spec.ports?.map(({ name, port, protocol }) => [name, port, protocol]),
      [
        ['dns', 53, 'UDP'],
        ['dns-tcp', 53, 'TCP'],
      ],
    );
    assert.deepEqual(await slices(), []);
  });

  it('leads to the server, wherever it is next', async () => {
    await ensure('10.244.0.1:53');
    assert.deepEqual(await leadsTo(), ['10.244.0.1 UDP 53', '10.244.0.1 TCP 53']);
    const [first] = await slices();
    await ensure('10.244.0.1:53');
    assert.deepEqual(await slices(), [first]);
    await ensure('10.244.16.1:53');
    assert.deepEqual(await leadsTo(), ['10.244.16.1 UDP 53', '10.244.16.1 TCP 53']);
  });

  it('that somebody leads to their own pods is left to them', async () => {
    const service = await cluster.client.get(services, KEY);
    await cluster.client.update(services, {
      ...service,
      spec: { ...service.spec, selector: { app: 'coredns' } },
    });
    await ensure('10.244.0.1:53');
    assert.deepEqual(await slices(), []);
  });

  it('takes another address where somebody has the tenth', async () => {
    await cluster.client.delete(services, KEY);
    await cluster.client.create(services, {
      metadata: { namespace: 'default', name: 'squatter' },
      spec: { clusterIP: '10.96.0.10', ports: [{ port: 1 }] },
    });
    await ensure('10.244.0.1:53');
    const { spec } = await cluster.client.get(services, KEY);
    assert.match(spec.clusterIP ?? '', /^10\.96\./);
    assert.equal((await leadsTo()).length, 2);
  });
});
