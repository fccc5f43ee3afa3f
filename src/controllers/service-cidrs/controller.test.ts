import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conditionOf } from '../../api/conditions.ts';
import { isNotFound, orUndefined } from '../../api/errors.ts';
import type { ServiceCIDR } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { ipAddresses } from '../../api/resources/ip-addresses/definition.ts';
import { namespaces } from '../../api/resources/namespaces/definition.ts';
import { serviceCidrs } from '../../api/resources/service-cidrs/definition.ts';
import { services } from '../../api/resources/services/definition.ts';
import { startTestControlPlane } from '../../testing/test-control-plane.ts';
import { runServiceAddressesController } from '../service-addresses/controller.ts';
import { runServiceCidrsController } from './controller.ts';

test('a further range gives addresses, and goes when its last address has', async () => {
  const cluster = await startTestControlPlane();
  try {
    const { client } = cluster;
    await client.create(namespaces, { metadata: { name: 'kube-system' }, spec: {} });
    cluster.run(runServiceCidrsController(cluster.contextOf('service-cidrs')));
    cluster.run(runServiceAddressesController(cluster.contextOf('service-addresses'), ['10.96.0.0/16']));
    const find = (name: string): Promise<Stored<ServiceCIDR> | undefined> =>
      orUndefined(client.get(serviceCidrs, { name }));
    const isReady = async (name: string): Promise<boolean> =>
      conditionOf(await find(name), 'Ready')?.status === 'True';
    await cluster.until(() => isReady('kubernetes'), 'the default range is ready');
    assert.deepEqual((await find('kubernetes'))?.spec.cidrs, ['10.96.0.0/16']);

    const service = (name: string, clusterIP?: string) =>
      client.create(services, {
        metadata: { namespace: 'default', name },
        spec: { ports: [{ port: 80 }], ...(clusterIP ? { clusterIP } : {}) },
      });
    await assert.rejects(service('a', '10.97.0.9'), {
      message:
        'Service "a" is invalid: spec.clusterIPs: Invalid value: ["10.97.0.9"]: failed to allocate IP 10.97.0.9: the provided network does not match the current range',
    });
    await client.create(serviceCidrs, { metadata: { name: 'more' }, spec: { cidrs: ['10.97.0.0/24'] } });
    await service('a', '10.97.0.9');
    await cluster.until(() => isReady('more'), 'the further range is ready');

    await client.delete(serviceCidrs, { name: 'more' });
    await cluster.until(
      async () => conditionOf(await find('more'), 'Ready')?.reason === 'Terminating',
      'it says why it does not go',
    );
    await assert.rejects(service('b', '10.97.0.10'), /does not match the current range/);
    await client.delete(services, { namespace: 'default', name: 'a' });
    await cluster.until(async () => (await find('more')) === undefined, 'it goes after its last address');
    await assert.rejects(client.get(ipAddresses, { name: '10.97.0.9' }), isNotFound);

    await client.delete(serviceCidrs, { name: 'kubernetes' });
    await cluster.until(
      async () => (await find('kubernetes')) === undefined || isReady('kubernetes'),
      'it goes',
    );
    await cluster.until(() => isReady('kubernetes'), 'the default range comes again');
    assert.deepEqual(cluster.complaints, []);
  } finally {
    await cluster.stop();
  }
});
