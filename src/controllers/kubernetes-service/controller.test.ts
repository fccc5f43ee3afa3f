import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { orUndefined } from '../../api/errors.ts';
import { endpointSlices } from '../../api/resources/endpoint-slices/definition.ts';
import { endpoints } from '../../api/resources/endpoints/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { startTestControlPlane, type TestControlPlane } from '../../testing/test-control-plane.ts';
import { runEndpointSliceMirroringController } from '../endpointslice-mirroring/controller.ts';
import { runKubernetesServiceController } from './controller.ts';
import { type ApiAddress, KUBERNETES } from './plan.ts';

describe('the Service of the API', () => {
  let cluster: TestControlPlane;
  let where: ApiAddress | undefined;
  let moved: () => void = () => {};
  const service = () => orUndefined(cluster.client.get(services, KUBERNETES));
  const leadsTo = async (): Promise<string> => {
    const found = await orUndefined(cluster.client.get(endpoints, KUBERNETES));
    const slice = await orUndefined(cluster.client.get(endpointSlices, KUBERNETES));
    const old = (found?.subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
      addresses.map(({ ip }) => `${ip}:${ports[0]?.port}`),
    );
    const sliced = (slice?.endpoints ?? []).map(
      ({ addresses }) => `${addresses[0]}:${slice?.ports?.[0]?.port}`,
    );
    return [...old, ...sliced].join();
  };

  beforeEach(async () => {
    cluster = await startTestControlPlane();
    where = { ip: '10.244.0.1', port: 6443 };
    const address = {
      current: () => where,
      onChange(listener: () => void) {
        moved = listener;
        return () => {};
      },
    };
    cluster.run(
      runKubernetesServiceController(cluster.contextOf('kubernetes-service'), {
        clusterIp: '10.96.0.1',
        port: 6443,
        address,
      }),
    );
    cluster.run(runEndpointSliceMirroringController(cluster.contextOf('endpointslice-mirroring')));
    await cluster.until(
      async () => (await leadsTo()) === '10.244.0.1:6443,10.244.0.1:6443',
      'it leads there',
    );
  });
  afterEach(async () => {
    await cluster.stop();
    assert.deepEqual(cluster.complaints, []);
  });

  it('has the first address and what upstream gives it', async () => {
    const { metadata, spec } = (await service()) ?? assert.fail('there is none');
    assert.deepEqual(metadata.labels, { component: 'apiserver', provider: 'kubernetes' });
    assert.deepEqual([spec.clusterIP, spec.clusterIPs, spec.type], ['10.96.0.1', ['10.96.0.1'], 'ClusterIP']);
    assert.deepEqual(spec.ports, [{ name: 'https', protocol: 'TCP', port: 443, targetPort: 6443 }]);
    const { items } = await cluster.client.list(endpointSlices, { namespace: 'default' });
    assert.deepEqual(
      items.map(({ metadata: { labels, name } }) => [name, labels]),
      [['kubernetes', { 'kubernetes.io/service-name': 'kubernetes' }]],
    );
  });

  it('rests when all is right', async () => {
    const before = (await cluster.client.list(services)).metadata.resourceVersion;
    await cluster.clock.advance(3_600_000);
    assert.equal((await cluster.client.list(services)).metadata.resourceVersion, before);
  });

  it('is made again when it is deleted, and put right when it is changed', async () => {
    const first = (await service())?.metadata.uid;
    await cluster.client.delete(services, KUBERNETES);
    await cluster.until(async () => {
      const uid = (await service())?.metadata.uid;
      return uid !== undefined && uid !== first;
    }, 'it is there again');
    const body = { spec: { selector: { app: 'mine' }, ports: [{ name: 'x', port: 80 }] } };
    await cluster.client.patch(services, KUBERNETES, { type: 'merge', body });
    await cluster.until(async () => {
      const spec = (await service())?.spec;
      return spec?.selector === undefined && spec?.ports?.[0]?.port === 443;
    }, 'it is as before');
    await cluster.client.patch(services, KUBERNETES, {
      type: 'merge',
      body: {
        spec: { type: 'ExternalName', externalName: 'example.org', clusterIP: null, clusterIPs: null },
      },
    });
    await cluster.until(
      async () => (await service())?.spec.clusterIP === '10.96.0.1',
      'it has its address again',
    );
    await cluster.client.delete(endpoints, KUBERNETES);
    await cluster.client.patch(endpointSlices, KUBERNETES, { type: 'merge', body: { endpoints: [] } });
    await cluster.until(
      async () => (await leadsTo()) === '10.244.0.1:6443,10.244.0.1:6443',
      'it leads there again',
    );
  });

  it('follows the API, and leads nowhere when pods do not reach it', async () => {
    where = { ip: '10.128.0.1', port: 7443 };
    moved();
    await cluster.until(async () => (await leadsTo()) === '10.128.0.1:7443,10.128.0.1:7443', 'it follows');
    where = undefined;
    moved();
    await cluster.until(async () => (await leadsTo()) === '', 'it leads nowhere');
  });
});
