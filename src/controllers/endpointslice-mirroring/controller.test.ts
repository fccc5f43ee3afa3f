import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { EndpointSlice } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { endpointSlices } from '../../api/resources/endpoint-slices/definition.ts';
import { endpoints } from '../../api/resources/endpoints/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { startTestControlPlane, type TestControlPlane } from '../../testing/test-control-plane.ts';
import { runEndpointSliceMirroringController } from './controller.ts';
import { MAX_MIRRORED } from './plan.ts';

const key = { namespace: 'default', name: 'legacy' };

describe('the endpoint slice mirroring controller', () => {
  let cluster: TestControlPlane;
  before(async () => {
    cluster = await startTestControlPlane();
    cluster.run(runEndpointSliceMirroringController(cluster.contextOf('endpointslice-mirroring')));
  });
  after(() => cluster.stop());

  const slices = async (): Promise<Stored<EndpointSlice>[]> =>
    (await cluster.client.list(endpointSlices)).items;
  const addresses = async (): Promise<string[]> =>
    (await slices()).flatMap((slice) => slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses);

  it('mirrors what is written, follows its changes, and ends with it', async () => {
    const subset = (...ips: string[]) => [{ addresses: ips.map((ip) => ({ ip })), ports: [{ port: 5432 }] }];
    await cluster.client.create(endpoints, { metadata: key, subsets: subset('10.9.0.1') });
    await cluster.clock.settle();
    assert.deepEqual(await slices(), [], 'not without its service');
    await cluster.client.create(services, {
      metadata: key,
      spec: { clusterIP: 'None', ports: [{ port: 5432 }] },
    });
    await cluster.until(async () => (await addresses()).join() === '10.9.0.1', 'it is mirrored');
    assert.match((await slices())[0]?.metadata.name ?? '', /^legacy-[a-z0-9]{5}$/);

    const object = await cluster.client.get(endpoints, key);
    await cluster.client.update(endpoints, { ...object, subsets: subset('10.9.0.1', '10.9.0.2') });
    await cluster.until(async () => (await addresses()).length === 2, 'the change is mirrored');

    const [mirror] = await slices();
    assert.ok(mirror);
    await cluster.client.update(endpointSlices, { ...mirror, endpoints: [] });
    await cluster.until(async () => (await addresses()).length === 2, 'what others change is put right');
    await cluster.client.delete(endpointSlices, { namespace: 'default', name: mirror.metadata.name });
    await cluster.until(async () => (await addresses()).length === 2, 'what others delete is made again');

    await cluster.client.delete(endpoints, key);
    await cluster.until(async () => (await slices()).length === 0, 'nothing is left');
    assert.deepEqual(cluster.complaints, []);
  });

  it('says how many addresses there is no room for', async () => {
    const many = Array.from({ length: MAX_MIRRORED + 3 }, (_, i) => ({ ip: `10.9.${i >> 8}.${i & 255}` }));
    await cluster.client.create(endpoints, {
      metadata: key,
      subsets: [{ addresses: many, ports: [{ port: 1 }] }],
    });
    await cluster.until(async () => (await cluster.eventsOf('legacy')).length > 0, 'an event');
    assert.deepEqual(await cluster.eventsOf('legacy'), [
      'TooManyAddressesToMirror: A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 3 addresses were skipped',
    ]);
    assert.equal((await addresses()).length, MAX_MIRRORED);
  });
});
