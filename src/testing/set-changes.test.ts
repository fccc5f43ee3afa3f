// Changes of a set that runs, through the whole control plane and a simulated node: larger claims and images in
// place. Nobody plays a part here; every step is some controller's or the node's.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Pod, StatefulSet } from '../api/generated/types.ts';
import type { Stored } from '../api/objects.ts';
import { allResources } from '../api/resources/all.ts';
import { persistentVolumeClaims } from '../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../api/resources/persistent-volumes/definition.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { statefulSets } from '../api/resources/stateful-sets/definition.ts';
import { storageClasses } from '../api/resources/storage-classes/definition.ts';
import { controllers } from '../cluster/roles/controllers.ts';
import { createNodeAgent } from '../node/agent.ts';
import { simulatedRuntime } from '../node/simulated/runtime.ts';
import {
  simulatedChecks,
  simulatedFacts,
  simulatedFiles,
  simulatedKeeper,
  simulatedVolumes,
} from '../node/simulated/surroundings.ts';
import { runLocalVolumes } from '../node/volumes/local/run.ts';
import { defaultStorageClass } from '../storage/default-class.ts';
import { controllerOptions } from './controller-options.ts';
import { fixedKinds } from './fixed-kinds.ts';
import { startTestControlPlane, type TestControlPlane } from './test-control-plane.ts';

const KEY = { namespace: 'default', name: 'web' };
const VOLUMES = '/simulated/volumes';

function makeSet(image: string, storage: string): StatefulSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { ...KEY, annotations: { 'stead.dev/pod-update': 'in-place-if-possible' } },
    spec: {
      serviceName: 'nginx',
      replicas: 3,
      selector: { matchLabels: { app: 'nginx' } },
      template: {
        metadata: { labels: { app: 'nginx' } },
        spec: {
          containers: [{ name: 'nginx', image, volumeMounts: [{ name: 'www', mountPath: '/www' }] }],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'www' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
        },
      ],
    },
  };
}

describe('changes of a running set', () => {
  let cluster: TestControlPlane;

  before(async () => {
    cluster = await startTestControlPlane();
    const { clock, context } = cluster;
    await cluster.client.create(storageClasses, defaultStorageClass());
    for (const [name, run] of Object.entries(controllers(controllerOptions(fixedKinds(allResources))))) {
      cluster.run(run(cluster.contextOf(name)));
    }
    const agent = createNodeAgent(context, {
      nodeName: 'node-1',
      nodeIps: ['10.0.0.1'],
      runtime: simulatedRuntime({ clock, firstAddress: '10.77.0.0', addresses: 200 }),
      volumes: simulatedVolumes(),
      clusterDns: undefined,
      dataDirectory: '/simulated',
      logDirectory: '/simulated/logs',
      volumeDirectory: VOLUMES,
      version: '0.0.0',
      capacity: { cpuCores: 8, memoryBytes: 8 * 1024 ** 3, pods: 100 },
      files: simulatedFiles,
      checks: simulatedChecks,
      facts: simulatedFacts,
    });
    cluster.run(agent.run());
    cluster.run(runLocalVolumes(context, { nodeName: 'node-1', volumes: simulatedKeeper(VOLUMES) }));
    await cluster.client.create(statefulSets, makeSet('nginx:1', '200Mi'));
    await complete();
  });
  after(() => cluster.stop());

  const set = () => cluster.client.get(statefulSets, KEY);
  const podsNow = async (): Promise<Stored<Pod>[]> =>
    (await cluster.client.list(pods, { namespace: 'default' })).items;

  /** Until the set has reached its spec, and says so. */
  async function complete(): Promise<void> {
    await cluster.until(async () => {
      const { metadata, status } = await set();
      const progressing = status?.conditions?.find(({ type }) => type === 'Progressing');
      return (
        status?.observedGeneration === metadata.generation &&
        status?.updatedReplicas === 3 &&
        progressing?.reason === 'Complete'
      );
    }, 'the set is complete');
  }

  async function change(template: Partial<StatefulSet['spec']>): Promise<void> {
    await cluster.client.patch(statefulSets, KEY, { type: 'strategic', body: { spec: template } });
    await complete();
  }

  it('an image is changed in place: pods, addresses and nodes stay, containers are others', async () => {
    const before = await podsNow();
    await change({ template: makeSet('nginx:2', '200Mi').spec.template });
    const now = await podsNow();
    assert.deepEqual(
      now.map(({ metadata, spec, status }) => [metadata.uid, spec.nodeName, status?.podIP]),
      before.map(({ metadata, spec, status }) => [metadata.uid, spec.nodeName, status?.podIP]),
    );
    for (const [index, pod] of now.entries()) {
      const [container] = pod.status?.containerStatuses ?? [];
      assert.equal(container?.image, 'nginx:2');
      assert.equal(container?.restartCount, 1);
      assert.notEqual(container?.containerID, before[index]?.status?.containerStatuses?.[0]?.containerID);
      assert.equal(pod.metadata.annotations?.['stead.dev/in-place-update'], undefined);
    }
  });

  it('claims grow, online, one after the other, and the set says how far it is', async () => {
    const uids = (await podsNow()).map(({ metadata }) => metadata.uid);
    await change({ volumeClaimTemplates: makeSet('', '1Gi').spec.volumeClaimTemplates ?? [] });
    for (const claim of (await cluster.client.list(persistentVolumeClaims)).items) {
      assert.equal(claim.status?.capacity?.storage, '1Gi', claim.metadata.name);
      assert.deepEqual(claim.status?.conditions ?? [], []);
    }
    for (const volume of (await cluster.client.list(persistentVolumes)).items) {
      assert.equal(volume.spec.capacity?.storage, '1Gi');
    }
    assert.deepEqual(
      (await podsNow()).map(({ metadata }) => metadata.uid),
      uids,
    );
    const condition = (await set()).status?.conditions?.find(({ type }) => type === 'ClaimsExpanding');
    assert.equal(condition?.message, '3 of 3 claims have the size of their template');
    assert.equal(condition?.status, 'False');
    // The node may be quicker than the expander's word that it is next.
    const told = (await cluster.eventsOf('www-web-2')).map((line) => line.split(':')[0]);
    assert.ok(told.includes('Resizing') && told.includes('FileSystemResizeSuccessful'), told.join());
  });
});
