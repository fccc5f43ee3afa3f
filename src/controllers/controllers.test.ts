import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import { isNotFound } from '../api/errors.ts';
import type {
  ConfigMap,
  Endpoint,
  OwnerReference,
  Pod,
  Service,
  StatefulSet,
} from '../api/generated/types.ts';
import type { KubeObject, Stored } from '../api/objects.ts';
import type { ResourceDefinition } from '../api/resource.ts';
import { allResources } from '../api/resources/all.ts';
import { configMaps } from '../api/resources/config-maps/definition.ts';
import { endpointSlices } from '../api/resources/endpoint-slices/definition.ts';
import { endpoints } from '../api/resources/endpoints/definition.ts';
import { leases } from '../api/resources/leases/definition.ts';
import { namespaces } from '../api/resources/namespaces/definition.ts';
import { nodes } from '../api/resources/nodes/definition.ts';
import { persistentVolumeClaims } from '../api/resources/persistent-volume-claims/definition.ts';
import { podDisruptionBudgets } from '../api/resources/pod-disruption-budgets/definition.ts';
import { pods } from '../api/resources/pods/definition.ts';
import { serviceAccounts } from '../api/resources/service-accounts/definition.ts';
import { services } from '../api/resources/services/definition.ts';
import { statefulSets } from '../api/resources/stateful-sets/definition.ts';
import { timestamp } from '../base/clock.ts';
import { present } from '../base/present.ts';
import { fixedKinds } from '../testing/fixed-kinds.ts';
import { startTestControlPlane, type TestControlPlane } from '../testing/test-control-plane.ts';
import { runDisruptionController } from './disruption/controller.ts';
import { runEndpointsController } from './endpoints/controller.ts';
import { runEndpointSlicesController } from './endpointslices/controller.ts';
import { runGarbageController } from './garbage/controller.ts';
import { runNamespaceController } from './namespace/controller.ts';
import { runNodesController } from './nodes/controller.ts';
import { runPodGcController } from './pod-gc/controller.ts';
import { runProtectionController } from './protection/controller.ts';
import { fixedRoot, runServiceAccountsController } from './service-accounts/controller.ts';

const key = (name: string, namespace = 'default') => ({ namespace, name });

function pod(name: string, spec: Partial<Pod['spec']> = {}, metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', name, labels: { app: 'nginx' }, ...metadata },
    spec: {
      containers: [{ name: 'main', image: 'nginx', ports: [{ name: 'web', containerPort: 80 }] }],
      ...spec,
    },
  };
}

const headless: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'default', name: 'nginx', labels: { app: 'nginx' } },
  spec: {
    clusterIP: 'None',
    selector: { app: 'nginx' },
    ports: [{ name: 'web', port: 80, targetPort: 'web' }],
  },
};

const ownedBy = (owner: Stored, extra: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: owner.apiVersion ?? 'v1',
  kind: owner.kind ?? '',
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  ...extra,
});

const map = (name: string, ownerReferences?: OwnerReference[]): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: present({ namespace: 'default', name, ownerReferences }),
});

describe('controllers against the API server', () => {
  let cluster: TestControlPlane;
  beforeEach(async () => {
    await cluster?.stop();
    cluster = await startTestControlPlane();
  });
  after(() => cluster.stop());

  async function exists<T extends KubeObject>(
    resource: ResourceDefinition<T>,
    name: string,
    namespace: string | undefined = 'default',
  ): Promise<boolean> {
    try {
      await cluster.client.get(resource, { name, namespace: resource.namespaced ? namespace : undefined });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  describe('endpoints and endpoint slices', () => {
    const published = async (): Promise<Endpoint[]> =>
      (await cluster.client.list(endpointSlices)).items.flatMap((slice) => slice.endpoints ?? []);

    beforeEach(() => {
      cluster.run(runEndpointSlicesController(cluster.contextOf('endpointslices')));
      cluster.run(runEndpointsController(cluster.contextOf('endpoints')));
    });

    it('publish the pods of a headless service by hostname, ready ones as ready', async () => {
      await cluster.client.create(services, headless);
      await cluster.until(
        async () => (await cluster.client.list(endpointSlices)).items.length === 1,
        'an empty slice',
      );
      for (const [name, ip] of [
        ['web-0', '10.0.0.5'],
        ['web-1', '10.0.0.6'],
      ] as const) {
        await cluster.client.create(pods, pod(name, { hostname: name, subdomain: 'nginx', nodeName: 'one' }));
        await cluster.runPod(name, ip, name === 'web-0');
      }
      await cluster.until(async () => (await published()).length === 2, 'two endpoints');
      const slices = (await cluster.client.list(endpointSlices)).items;
      assert.equal(slices.length, 1);
      const [slice] = slices;
      assert.deepEqual(slice?.metadata.labels, {
        app: 'nginx',
        'service.kubernetes.io/headless': '',
        'kubernetes.io/service-name': 'nginx',
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      });
      assert.deepEqual(slice?.ports, [{ name: 'web', port: 80, protocol: 'TCP' }]);
      const [zero, one] = (await published()).sort((a, b) =>
        (a.hostname ?? '') < (b.hostname ?? '') ? -1 : 1,
      );
      assert.equal(zero?.hostname, 'web-0');
      assert.deepEqual(zero?.conditions, { ready: true, serving: true, terminating: false });
      assert.deepEqual(one?.conditions, { ready: false, serving: false, terminating: false });
      assert.equal(zero?.nodeName, 'one');
      assert.equal(zero?.targetRef?.name, 'web-0');

      await cluster.until(async () => exists(endpoints, 'nginx'), 'endpoints');
      await cluster.until(async () => {
        const { subsets } = await cluster.client.get(endpoints, key('nginx'));
        return (
          subsets?.[0]?.addresses?.[0]?.ip === '10.0.0.5' &&
          subsets[0].notReadyAddresses?.[0]?.ip === '10.0.0.6'
        );
      }, 'the older form says the same');
      assert.deepEqual(cluster.complaints, []);
    });

    it('follow a pod that becomes ready, and one that goes, and write no more than that', async () => {
      await cluster.client.create(services, headless);
      await cluster.client.create(pods, pod('web-0', { hostname: 'web-0', subdomain: 'nginx' }));
      await cluster.runPod('web-0', '10.0.0.5', false);
      await cluster.until(async () => (await published()).length === 1, 'an endpoint');
      await cluster.runPod('web-0', '10.0.0.5', true);
      await cluster.until(async () => (await published())[0]?.conditions?.ready === true, 'it is ready');
      const version = (await cluster.client.list(endpointSlices)).items[0]?.metadata.resourceVersion;
      await cluster.clock.advance(60_000);
      assert.equal((await cluster.client.list(endpointSlices)).items[0]?.metadata.resourceVersion, version);
      await cluster.client.delete(pods, key('web-0'), { gracePeriodSeconds: 0 });
      await cluster.until(async () => (await published()).length === 0, 'it is gone');
    });
  });

  describe('garbage collector', () => {
    beforeEach(() =>
      cluster.run(runGarbageController(cluster.contextOf('garbage'), fixedKinds(allResources))),
    );

    it('deletes what an object that is gone owned, and what that owned', async () => {
      const owner = await cluster.client.create(configMaps, map('owner'));
      const child = await cluster.client.create(configMaps, map('child', [ownedBy(owner)]));
      await cluster.client.create(configMaps, map('grandchild', [ownedBy(child)]));
      await cluster.client.create(configMaps, map('stranger'));
      await cluster.client.delete(configMaps, key('owner'));
      await cluster.until(async () => !(await exists(configMaps, 'grandchild')), 'the grandchild is gone');
      assert.equal(await exists(configMaps, 'child'), false);
      assert.equal(await exists(configMaps, 'stranger'), true);
    });

    it('deletes an object whose owner was never there, and keeps one with another owner', async () => {
      const owner = await cluster.client.create(configMaps, map('owner'));
      const gone = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'of-an-earlier-one' };
      await cluster.client.create(configMaps, map('orphan', [gone]));
      await cluster.client.create(configMaps, map('shared', [gone, ownedBy(owner)]));
      await cluster.until(async () => !(await exists(configMaps, 'orphan')), 'the orphan is gone');
      await cluster.until(
        async () =>
          (await cluster.client.get(configMaps, key('shared'))).metadata.ownerReferences?.length === 1,
        'the stale reference is gone',
      );
    });

    it('keeps what an owner of an unknown kind owns', async () => {
      const unknown = { apiVersion: 'example.com/v1', kind: 'Widget', name: 'w', uid: 'u' };
      await cluster.client.create(configMaps, map('owned', [unknown]));
      await cluster.clock.advance(60_000);
      assert.equal(await exists(configMaps, 'owned'), true);
    });

    it('in the foreground, keeps the owner until those that block it are gone', async () => {
      const owner = await cluster.client.create(configMaps, map('owner'));
      const held = map('held', [ownedBy(owner, { blockOwnerDeletion: true })]);
      await cluster.client.create(configMaps, {
        ...held,
        metadata: { ...held.metadata, finalizers: ['example.com/wait'] },
      });
      await cluster.client.delete(configMaps, key('owner'), { propagationPolicy: 'Foreground' });
      await cluster.until(
        async () =>
          (await cluster.client.get(configMaps, key('held'))).metadata.deletionTimestamp !== undefined,
        'the dependent is being deleted',
      );
      assert.equal(await exists(configMaps, 'owner'), true);
      const waiting = await cluster.client.get(configMaps, key('held'));
      await cluster.client.update(configMaps, {
        ...waiting,
        metadata: { ...waiting.metadata, finalizers: [] },
      });
      await cluster.until(async () => !(await exists(configMaps, 'owner')), 'the owner is gone');
    });

    it('leaves dependents behind when told to', async () => {
      const owner = await cluster.client.create(configMaps, map('owner'));
      await cluster.client.create(configMaps, map('kept', [ownedBy(owner)]));
      await cluster.clock.settle();
      await cluster.client.delete(configMaps, key('owner'), { propagationPolicy: 'Orphan' });
      await cluster.until(async () => !(await exists(configMaps, 'owner')), 'the owner is gone');
      await cluster.clock.advance(60_000);
      const kept = await cluster.client.get(configMaps, key('kept'));
      assert.deepEqual(kept.metadata.ownerReferences ?? [], []);
    });
  });

  it('service accounts: every namespace gets the default account and the CA certificate', async () => {
    cluster.run(runServiceAccountsController(cluster.contextOf('service-accounts'), fixedRoot('PEM')));
    await cluster.until(async () => exists(configMaps, 'kube-root-ca.crt'), 'the certificate');
    assert.equal(await exists(serviceAccounts, 'default'), true);
    await cluster.client.delete(configMaps, key('kube-root-ca.crt'));
    await cluster.until(async () => exists(configMaps, 'kube-root-ca.crt'), 'the certificate comes back');
    const { data } = await cluster.client.get(configMaps, key('kube-root-ca.crt'));
    assert.deepEqual(data, { 'ca.crt': 'PEM' });
    assert.deepEqual(cluster.complaints, []);
  });

  it('namespace: is emptied and then gone; what is held is named', async () => {
    cluster.run(runNamespaceController(cluster.contextOf('namespace'), fixedKinds(allResources)));
    await cluster.client.create(namespaces, { metadata: { name: 'team' }, spec: {} });
    const held = map('held');
    await cluster.client.create(configMaps, {
      ...held,
      metadata: { name: 'held', namespace: 'team', finalizers: ['example.com/wait'] },
    });
    await cluster.client.create(configMaps, { ...held, metadata: { name: 'free', namespace: 'team' } });
    await cluster.client.delete(namespaces, { name: 'team' });
    await cluster.until(async () => {
      const { conditions } = (await cluster.client.get(namespaces, { name: 'team' })).status ?? {};
      const remaining = conditions?.find((condition) => condition.type === 'NamespaceFinalizersRemaining');
      return remaining?.message?.includes('example.com/wait in 1 resource instances') ?? false;
    }, 'the finalizer is named');
    assert.equal(await exists(configMaps, 'free', 'team'), false);
    const waiting = await cluster.client.get(configMaps, key('held', 'team'));
    await cluster.client.update(configMaps, {
      ...waiting,
      metadata: { ...waiting.metadata, finalizers: [] },
    });
    await cluster.until(async () => !(await exists(namespaces, 'team')), 'the namespace is gone');
  });

  it('namespace: what cannot be listed or deleted is named, and keeps nothing else from going', async () => {
    const context = cluster.contextOf('namespace');
    cluster.run(runNamespaceController(context, fixedKinds(allResources)));
    await cluster.client.create(namespaces, { metadata: { name: 'team' }, spec: {} });
    for (const name of ['stuck', 'free']) {
      await cluster.client.create(configMaps, { ...map(name), metadata: { name, namespace: 'team' } });
    }
    const { client } = context;
    const [list, remove] = [client.list.bind(client), client.delete.bind(client)];
    let failing = true;
    client.list = async (resource, options) => {
      if (failing && resource.plural === 'secrets') throw new Error('secrets cannot be listed');
      return list(resource, options);
    };
    client.delete = async (resource, object, options) => {
      if (failing && object.name === 'stuck') throw new Error('stuck is stuck');
      return remove(resource, object, options);
    };
    await cluster.client.delete(namespaces, { name: 'team' });
    await cluster.until(async () => !(await exists(configMaps, 'free', 'team')), 'the rest is gone');
    await cluster.until(async () => {
      const { conditions } = (await cluster.client.get(namespaces, { name: 'team' })).status ?? {};
      const failure = conditions?.find((condition) => condition.type === 'NamespaceDeletionContentFailure');
      return /configmaps "stuck": .*secrets: /.test(failure?.message ?? '');
    }, 'both are named');
    assert.ok(await exists(configMaps, 'stuck', 'team'));
    failing = false;
    await cluster.until(async () => !(await exists(namespaces, 'team')), 'the namespace is gone');
  });

  it('protection: a claim in use stays until its pod is gone', async () => {
    cluster.run(runProtectionController(cluster.contextOf('protection')));
    await cluster.client.create(persistentVolumeClaims, {
      metadata: { namespace: 'default', name: 'www' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
    });
    const volumes = [{ name: 'www', persistentVolumeClaim: { claimName: 'www' } }];
    await cluster.client.create(pods, pod('web-0', { nodeName: 'one', volumes }));
    const finalizers = async (): Promise<string[]> =>
      (await cluster.client.get(persistentVolumeClaims, key('www'))).metadata.finalizers ?? [];
    await cluster.until(
      async () => (await finalizers()).includes('kubernetes.io/pvc-protection'),
      'protected',
    );
    await cluster.client.delete(persistentVolumeClaims, key('www'));
    await cluster.clock.advance(30_000);
    assert.equal(await exists(persistentVolumeClaims, 'www'), true);
    await cluster.client.delete(pods, key('web-0'), { gracePeriodSeconds: 0 });
    await cluster.until(async () => !(await exists(persistentVolumeClaims, 'www')), 'the claim is gone');
  });

  it('protection and garbage: a pod that owns its claim goes in the foreground, and neither waits for the other', async () => {
    cluster.run(runProtectionController(cluster.contextOf('protection')));
    cluster.run(runGarbageController(cluster.contextOf('garbage'), fixedKinds(allResources)));
    const volumes = [{ name: 'www', persistentVolumeClaim: { claimName: 'www' } }];
    const owner = await cluster.client.create(pods, pod('web-0', { nodeName: 'one', volumes }));
    const { name, uid } = owner.metadata;
    await cluster.client.create(persistentVolumeClaims, {
      metadata: {
        namespace: 'default',
        name: 'www',
        ownerReferences: [
          { apiVersion: 'v1', kind: 'Pod', name, uid, controller: true, blockOwnerDeletion: true },
        ],
      },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
    });
    await cluster.client.delete(pods, key('web-0'), { propagationPolicy: 'Foreground' });
    await cluster.clock.advance(30_000);
    assert.equal(await exists(persistentVolumeClaims, 'www'), true, 'its node has not ended it yet');
    await cluster.client.delete(pods, key('web-0'), { gracePeriodSeconds: 0 });
    await cluster.until(async () => !(await exists(persistentVolumeClaims, 'www')), 'the claim is gone');
    await cluster.until(async () => !(await exists(pods, 'web-0')), 'the pod is gone');
  });

  it('nodes: a silent node is Unknown and tainted, and its pods leave when their time is up', async () => {
    cluster.run(runNodesController(cluster.contextOf('nodes')));
    await cluster.addNode('one');
    const renew = { namespace: 'kube-node-lease', name: 'one' };
    await cluster.client.create(namespaces, { metadata: { name: 'kube-node-lease' }, spec: {} });
    await cluster.client.create(leases, {
      metadata: renew,
      spec: { renewTime: `${timestamp(cluster.clock.now()).slice(0, 19)}.000000Z` },
    });
    const tolerations = [
      {
        key: 'node.kubernetes.io/unreachable',
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 60,
      },
    ];
    await cluster.client.create(pods, pod('web-0', { nodeName: 'one', tolerations }));
    await cluster.runPod('web-0', '10.0.0.5');
    await cluster.clock.advance(30_000);
    assert.deepEqual((await cluster.client.get(nodes, { name: 'one' })).spec.taints ?? [], []);
    await cluster.until(async () => {
      const { spec, status } = await cluster.client.get(nodes, { name: 'one' });
      const ready = status?.conditions?.find((condition) => condition.type === 'Ready')?.status;
      return ready === 'Unknown' && (spec.taints ?? []).length === 2;
    }, 'the node is Unknown and tainted');
    await cluster.until(async () => {
      const { status } = await cluster.client.get(pods, key('web-0'));
      return status?.conditions?.find((condition) => condition.type === 'Ready')?.status === 'False';
    }, 'the pod is not ready');
    await cluster.clock.advance(30_000);
    assert.equal((await cluster.client.get(pods, key('web-0'))).metadata.deletionTimestamp, undefined);
    await cluster.until(
      async () => (await cluster.client.get(pods, key('web-0'))).metadata.deletionTimestamp !== undefined,
      'the pod is being deleted',
    );
    const { status } = await cluster.client.get(pods, key('web-0'));
    const target = status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
    assert.deepEqual([target?.reason, target?.observedGeneration], ['DeletionByTaintManager', 1]);
  });

  it('pod gc: pods of a node that is gone are deleted by force, after a while', async () => {
    cluster.run(runPodGcController(cluster.contextOf('pod-gc')));
    await cluster.addNode('one');
    await cluster.client.create(pods, pod('web-0', { nodeName: 'one' }));
    await cluster.client.create(pods, pod('web-1', { nodeName: 'two' }));
    await cluster.clock.advance(30_000);
    assert.equal(await exists(pods, 'web-1'), true);
    await cluster.until(async () => !(await exists(pods, 'web-1')), 'web-1 is gone');
    assert.equal(await exists(pods, 'web-0'), true);
  });

  it('pod gc: a fenced node lets go of its terminating pods', async () => {
    cluster.run(runPodGcController(cluster.contextOf('pod-gc')));
    const node = await cluster.addNode('one', { conditions: [{ type: 'Ready', status: 'Unknown' }] });
    await cluster.client.create(pods, pod('web-0', { nodeName: 'one' }));
    await cluster.client.delete(pods, key('web-0'));
    await cluster.clock.advance(60_000);
    assert.equal(await exists(pods, 'web-0'), true);
    const taint = { key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' };
    await cluster.client.update(nodes, { ...node, spec: { taints: [taint] } });
    await cluster.until(async () => !(await exists(pods, 'web-0')), 'web-0 is gone');
  });

  it('disruption: a budget says how many pods may go', async () => {
    cluster.run(runDisruptionController(cluster.contextOf('disruption')));
    const set: StatefulSet = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { namespace: 'default', name: 'web' },
      spec: {
        replicas: 3,
        serviceName: 'nginx',
        selector: { matchLabels: { app: 'nginx' } },
        template: { metadata: { labels: { app: 'nginx' } }, spec: pod('x').spec },
      },
    };
    const owner = await cluster.client.create(statefulSets, set);
    await cluster.client.create(podDisruptionBudgets, {
      metadata: { namespace: 'default', name: 'web' },
      spec: { maxUnavailable: '34%', selector: { matchLabels: { app: 'nginx' } } },
    });
    for (let i = 0; i < 3; i++) {
      const ownerReferences = [
        ownedBy({ ...owner, apiVersion: 'apps/v1', kind: 'StatefulSet' }, { controller: true }),
      ];
      await cluster.client.create(pods, pod(`web-${i}`, { nodeName: 'one' }, { ownerReferences }));
      await cluster.runPod(`web-${i}`, `10.0.0.${i + 5}`);
    }
    await cluster.until(async () => {
      const { status } = await cluster.client.get(podDisruptionBudgets, key('web'));
      return status?.disruptionsAllowed === 2 && status.expectedPods === 3 && status.desiredHealthy === 1;
    }, 'two may go');
    await cluster.runPod('web-2', '10.0.0.7', false);
    await cluster.until(async () => {
      const { status } = await cluster.client.get(podDisruptionBudgets, key('web'));
      return status?.disruptionsAllowed === 1 && status.currentHealthy === 2;
    }, 'one may go');
  });
});
