import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isReady } from '../api/conditions.ts';
import type { PersistentVolume, StatefulSet } from '../api/generated/types.ts';
import { allResources } from '../api/resources/all.ts';
import { endpointSlices } from '../api/resources/endpoint-slices/definition.ts';
import { events } from '../api/resources/events/definition.ts';
import { persistentVolumeClaims } from '../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../api/resources/persistent-volumes/definition.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { services } from '../api/resources/services/definition.ts';
import { statefulSets } from '../api/resources/stateful-sets/definition.ts';
import { storageClasses } from '../api/resources/storage-classes/definition.ts';
import { controllers } from '../cluster/roles/controllers.ts';
import { defaultStorageClass } from '../storage/default-class.ts';
import { controllerOptions } from '../testing/controller-options.ts';
import { fixedKinds } from '../testing/fixed-kinds.ts';
import { startTestControlPlane, type TestControlPlane } from '../testing/test-control-plane.ts';

const set: StatefulSet = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { namespace: 'default', name: 'web' },
  spec: {
    serviceName: 'nginx',
    replicas: 2,
    selector: { matchLabels: { app: 'nginx' } },
    template: {
      metadata: { labels: { app: 'nginx' } },
      spec: {
        containers: [
          {
            name: 'nginx',
            image: 'nginx',
            ports: [{ name: 'web', containerPort: 80 }],
            volumeMounts: [{ name: 'www', mountPath: '/usr/share/nginx/html' }],
          },
        ],
      },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: 'www' },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'storage-local',
          resources: { requests: { storage: '200Mi' } },
        },
      },
    ],
  },
};

describe('all controllers together', () => {
  let cluster: TestControlPlane;
  let address = 4;

  /** Does once what a node would do: starts bound pods, ends deleted ones, removes the bytes of deleted volumes. */
  async function actAsNode(): Promise<void> {
    const { client } = cluster;
    for (const pod of (await client.list(pods)).items) {
      const { namespace, name, uid, deletionTimestamp } = pod.metadata;
      if (deletionTimestamp) {
        await client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
      } else if (pod.spec.nodeName && !isReady(pod)) await cluster.runPod(name, `10.0.0.${++address}`);
    }
    for (const volume of (await client.list(persistentVolumes)).items) {
      if (!volume.metadata.deletionTimestamp) continue;
      const finalizers = (volume.metadata.finalizers ?? []).filter(
        (each) => each !== 'stead.dev/local-volume',
      );
      if (finalizers.length === volume.metadata.finalizers?.length) continue;
      const released: PersistentVolume = { ...volume, metadata: { ...volume.metadata, finalizers } };
      await client.update(persistentVolumes, released);
    }
  }

  const until = (condition: () => Promise<boolean>, what: string): Promise<void> =>
    cluster.until(async () => {
      await actAsNode();
      return condition();
    }, what);

  const ready = async (): Promise<number> =>
    (await cluster.client.get(statefulSets, { namespace: 'default', name: 'web' })).status?.readyReplicas ??
    0;

  before(async () => {
    cluster = await startTestControlPlane();
    for (const [name, run] of Object.entries(controllers(controllerOptions(fixedKinds(allResources))))) {
      cluster.run(run(cluster.contextOf(name)));
    }
    await cluster.client.create(storageClasses, defaultStorageClass());
    await cluster.addNode('one');
  });
  after(() => cluster.stop());

  it('bring up a set with its claims, volumes and endpoints', async () => {
    await cluster.client.create(services, {
      metadata: { namespace: 'default', name: 'nginx' },
      spec: { clusterIP: 'None', selector: { app: 'nginx' }, ports: [{ name: 'web', port: 80 }] },
    });
    await cluster.client.create(statefulSets, set);
    await until(async () => (await ready()) === 2, 'both pods are ready');
    const claims = (await cluster.client.list(persistentVolumeClaims)).items;
    assert.deepEqual(claims.map((claim) => [claim.metadata.name, claim.status?.phase]).sort(), [
      ['www-web-0', 'Bound'],
      ['www-web-1', 'Bound'],
    ]);
    await until(async () => {
      const labelSelector = 'kubernetes.io/service-name=nginx';
      const slices = (await cluster.client.list(endpointSlices, { labelSelector })).items;
      const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
      return endpoints.length === 2 && endpoints.every((endpoint) => endpoint.conditions?.ready);
    }, 'both pods are published');
    assert.deepEqual(cluster.complaints, []);
  });

  it('come to rest: nothing is written while nothing changes', async () => {
    // The node sends no heartbeats here; its being declared silent is the last thing that happens.
    await cluster.clock.advance(30_000);
    const version = async (): Promise<string> => {
      const lists = [statefulSets, pods, persistentVolumes, persistentVolumeClaims, endpointSlices, events];
      const versions = await Promise.all(
        lists.map(async (resource) =>
          (await cluster.client.list(resource as typeof pods)).items.map(
            (each) => each.metadata.resourceVersion,
          ),
        ),
      );
      return versions.flat().join();
    };
    const before = await version();
    await cluster.clock.advance(5_000);
    assert.equal(await version(), before);
  });

  it('keep the claims when the set goes, and give the volumes back when the claims go', async () => {
    const { client } = cluster;
    await client.delete(statefulSets, { namespace: 'default', name: 'web' });
    await until(async () => (await client.list(pods)).items.length === 0, 'the pods are gone');
    assert.equal((await client.list(persistentVolumeClaims)).items.length, 2);
    for (const { metadata } of (await client.list(persistentVolumeClaims)).items) {
      await client.delete(persistentVolumeClaims, { namespace: 'default', name: metadata.name });
    }
    await until(
      async () => (await client.list(persistentVolumes)).items.length === 0,
      'the volumes are gone',
    );
    assert.equal((await client.list(persistentVolumeClaims)).items.length, 0);
    assert.deepEqual(cluster.complaints, []);
  });
});
