// The controller on a whole API (memory store, server, informers) in virtual time, with a node that does what the
// test says. What is decided in which situation, the scenarios hold; here it is about the shell.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTerminating, type KubeObject, type Stored } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { controllerRevisions } from '../../api/resources/controller-revisions/definition.ts';
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { statefulSets } from '../../api/resources/stateful-sets/definition.ts';
import type { Client } from '../../client/client.ts';
import type { Informer, Informers } from '../../client/informers.ts';
import { NAMESPACE, withCluster } from './test-cluster.ts';

test('creates in order, each after its predecessor is ready, with claims, revision, status and events', () =>
  withCluster(async (cluster) => {
    await cluster.createSet();
    assert.deepEqual(await cluster.podNames(), ['web-0']);
    const first = await cluster.pod('web-0');
    assert.equal(first.spec.hostname, 'web-0');
    assert.equal(first.spec.subdomain, 'nginx');
    await cluster.report('web-0', 'Ready');
    assert.deepEqual(await cluster.podNames(), ['web-0', 'web-1']);
    await cluster.behave();
    assert.deepEqual(await cluster.podNames(), ['web-0', 'web-1', 'web-2']);
    const claims = await cluster.client.list(persistentVolumeClaims, { namespace: NAMESPACE });
    assert.deepEqual(claims.items.map((claim) => claim.metadata.name).sort(), [
      'www-web-0',
      'www-web-1',
      'www-web-2',
    ]);
    const { status } = await cluster.set();
    assert.equal(status?.readyReplicas, 3);
    assert.equal(status?.currentRevision, status?.updateRevision);
    assert.equal(first.metadata.labels?.['controller-revision-hash'], status?.updateRevision);
    const told = await cluster.told();
    assert.ok(
      told.includes('Normal SuccessfulCreate: create Claim www-web-0 Pod web-0 in StatefulSet web success'),
    );
    assert.ok(told.includes('Normal SuccessfulCreate: create Pod web-0 in StatefulSet web successful'));
    assert.match(await cluster.condition('Progressing'), /^True Complete/);
  }));

test('with web-0 not Ready, scaling up creates nothing, and the conditions name web-0 and its reason', () =>
  withCluster(async (cluster) => {
    await cluster.createSet({ spec: { replicas: 1 } });
    await cluster.report('web-0', 'Ready');
    await cluster.report('web-0', 'CrashLoop');
    await cluster.patchSet({ replicas: 3 });
    assert.deepEqual(await cluster.podNames(), ['web-0']);
    assert.match(
      await cluster.condition('Progressing'),
      /^False CrashLoopBackOff: web-1 waits for web-0 to be Ready: container nginx/,
    );
    assert.match(
      await cluster.condition('Available'),
      /^False ReplicasUnavailable: 0 of 3 pods are available; web-0 is not Ready/,
    );
    const waiting = (await cluster.told()).filter((line) =>
      line.startsWith('Warning Waiting: web-1 waits for web-0'),
    );
    assert.equal(waiting.length, 1);
    await cluster.report('web-0', 'Ready');
    assert.deepEqual(await cluster.podNames(), ['web-0', 'web-1']);
  }));

test('scales down from the top, each gone before the next, claims stay', () =>
  withCluster(async (cluster) => {
    await cluster.createSet();
    await cluster.behave();
    await cluster.patchSet({ replicas: 0 });
    for (const name of ['web-2', 'web-1', 'web-0']) {
      const { items } = await cluster.client.list(pods, { namespace: NAMESPACE });
      assert.deepEqual(
        items.filter(isTerminating).map((pod) => pod.metadata.name),
        [name],
      );
      await cluster.finish(name);
    }
    assert.deepEqual(await cluster.podNames(), []);
    assert.equal(
      (await cluster.client.list(persistentVolumeClaims, { namespace: NAMESPACE })).items.length,
      3,
    );
  }));

test('rolls from the highest ordinal down and back; the old revision is used again with a higher number', () =>
  withCluster(async (cluster) => {
    await cluster.createSet({ image: 'nginx:1' });
    await cluster.behave();
    const before = (await cluster.set()).status?.currentRevision;
    const image = async (value: string): Promise<void> => {
      const { spec } = await cluster.set();
      const [container] = spec.template.spec?.containers ?? [];
      await cluster.patchSet({ template: { spec: { containers: [{ ...container, image: value }] } } });
    };
    await image('nginx:2');
    assert.ok(isTerminating(await cluster.pod('web-2')));
    assert.ok(!isTerminating(await cluster.pod('web-1')));
    await cluster.finish('web-2');
    assert.equal((await cluster.pod('web-2')).spec.containers[0]?.image, 'nginx:2');
    assert.ok(!isTerminating(await cluster.pod('web-1')));
    await cluster.behave();
    const { status } = await cluster.set();
    assert.notEqual(status?.currentRevision, before);
    assert.equal(status?.updatedReplicas, 3);
    await image('nginx:1');
    await cluster.behave();
    assert.equal((await cluster.set()).status?.currentRevision, before);
    const revisions = await cluster.client.list(controllerRevisions, { namespace: NAMESPACE });
    assert.deepEqual(
      revisions.items.map((revision) => [revision.metadata.name === before, revision.revision]).sort(),
      [
        [false, 2],
        [true, 3],
      ],
    );
    for (const { data } of revisions.items) assert.match(JSON.stringify(data), /"\$patch":"replace"/);
  }));

test('minReadySeconds: the next pod comes by itself when the time is over', () =>
  withCluster(async (cluster) => {
    await cluster.createSet({ spec: { replicas: 2, minReadySeconds: 60 } });
    await cluster.report('web-0', 'Ready');
    await cluster.clock.advance(50_000);
    assert.deepEqual(await cluster.podNames(), ['web-0']);
    await cluster.clock.advance(20_000);
    assert.deepEqual(await cluster.podNames(), ['web-0', 'web-1']);
  }));

test('a Failed pod is replaced under its name, a stranger in a place is left alone until it goes', () =>
  withCluster(async (cluster) => {
    const stranger = {
      metadata: { name: 'web-1', namespace: NAMESPACE, labels: { app: 'other' } },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    };
    await cluster.client.create(pods, stranger);
    await cluster.createSet({ spec: { replicas: 2 } });
    const first = await cluster.pod('web-0');
    await cluster.report('web-0', 'Failed');
    // A pod that has ended has nothing to be graceful about: it is gone at once, and there again.
    assert.notEqual((await cluster.pod('web-0')).metadata.uid, first.metadata.uid);
    await cluster.report('web-0', 'Ready');
    assert.match(await cluster.condition('Progressing'), /^False NameTaken: web waits for web-1 to be gone/);
    assert.equal((await cluster.pod('web-1')).metadata.ownerReferences, undefined);
    await cluster.finish('web-1');
    assert.equal((await cluster.pod('web-1')).metadata.labels?.app, 'nginx');
  }));

test('orphans that match are adopted, pods that match no longer are released, and so are revisions', () =>
  withCluster(async (cluster) => {
    const set = await cluster.createSet({ spec: { replicas: 2 } });
    await cluster.behave();
    await cluster.client.delete(
      statefulSets,
      { namespace: NAMESPACE, name: 'web' },
      { propagationPolicy: 'Background' },
    );
    await cluster.settle();
    const uids = (await cluster.client.list(pods, { namespace: NAMESPACE })).items.map(
      (pod) => pod.metadata.uid,
    );
    // As the garbage collector leaves them with --cascade=orphan.
    await cluster.orphan(pods);
    await cluster.orphan(controllerRevisions);
    const again = await cluster.createSet({ spec: { replicas: 2 } });
    assert.notEqual(again.metadata.uid, set.metadata.uid);
    const adopted = (await cluster.client.list(pods, { namespace: NAMESPACE })).items;
    assert.deepEqual(
      adopted.map((pod) => pod.metadata.uid),
      uids,
    );
    assert.ok(adopted.every((pod) => pod.metadata.ownerReferences?.[0]?.uid === again.metadata.uid));
    const revisions = (await cluster.client.list(controllerRevisions, { namespace: NAMESPACE })).items;
    assert.equal(revisions.length, 1);
    assert.equal(revisions[0]?.metadata.ownerReferences?.[0]?.uid, again.metadata.uid);

    const [victim] = adopted.filter((pod) => pod.metadata.name === 'web-1');
    assert.ok(victim);
    await cluster.client.update(
      pods,
      structuredClone({ ...victim, metadata: { ...victim.metadata, labels: { app: 'debug' } } }),
    );
    await cluster.settle();
    assert.deepEqual((await cluster.pod('web-1')).metadata.ownerReferences ?? [], []);
    assert.match(await cluster.condition('Progressing'), /NameTaken/);
  }));

test('a lost claim of a Pending pod is made again', () =>
  withCluster(async (cluster) => {
    await cluster.createSet({ spec: { replicas: 1 } });
    const key = { namespace: NAMESPACE, name: 'www-web-0' };
    const claim = await cluster.client.get(persistentVolumeClaims, key);
    await cluster.client.delete(persistentVolumeClaims, key);
    // The protection controller, seeing no pod that runs on it, lets it go.
    const going = await cluster.client.get(persistentVolumeClaims, key);
    const metadata = { ...going.metadata, finalizers: [] };
    await cluster.client.update(persistentVolumeClaims, structuredClone({ ...going, metadata }));
    await cluster.settle();
    assert.notEqual((await cluster.client.get(persistentVolumeClaims, key)).metadata.uid, claim.metadata.uid);
  }));

test('a controller killed and started again at any point repeats nothing and goes on', () =>
  withCluster(async (cluster) => {
    await cluster.createSet();
    for (let round = 0; round < 6; round++) {
      await cluster.kill();
      cluster.run();
      await cluster.settle();
      const waiting = (await cluster.client.list(pods, { namespace: NAMESPACE })).items.find(
        (pod) => pod.status?.phase === 'Pending',
      );
      if (waiting) await cluster.report(waiting.metadata.name, 'Ready');
    }
    assert.deepEqual(await cluster.podNames(), ['web-0', 'web-1', 'web-2']);
    const creations = (await cluster.told()).filter((line) => line.includes('create Pod'));
    assert.equal(creations.length, 3);
  }));

test('a revision name taken by another content raises collisionCount', () =>
  withCluster(async (cluster) => {
    await cluster.createSet({ spec: { replicas: 0 } });
    const { status } = await cluster.set();
    const name = status?.updateRevision ?? '';
    await cluster.client.delete(statefulSets, { namespace: NAMESPACE, name: 'web' });
    await cluster.client.delete(controllerRevisions, { namespace: NAMESPACE, name });
    await cluster.client.create(controllerRevisions, {
      metadata: { name, namespace: NAMESPACE },
      data: { other: true },
      revision: 1,
    });
    await cluster.createSet({ spec: { replicas: 1 } });
    await cluster.behave();
    const after = (await cluster.set()).status;
    assert.equal(after?.collisionCount, 1);
    assert.notEqual(after?.updateRevision, name);
    assert.equal(after?.readyReplicas, 1);
  }));

test('a Parallel set comes up at once', () =>
  withCluster(async (cluster) => {
    await cluster.createSet({ spec: { replicas: 20, podManagementPolicy: 'Parallel' } });
    assert.equal((await cluster.podNames()).length, 20);
    await cluster.behave();
    assert.equal((await cluster.set()).status?.availableReplicas, 20);
  }));

test('at rest the controller writes nothing', () =>
  withCluster(async (cluster) => {
    await cluster.createSet();
    await cluster.behave();
    const before = await cluster.store.revision();
    await cluster.kill();
    cluster.run();
    await cluster.clock.advance(3600_000);
    assert.equal(await cluster.store.revision(), before);
  }));

/** Informers whose pods can be held at what they were: a watch that lags. */
function laggingPods(informers: Informers, lag: { on: boolean }): Informers {
  return {
    of<T extends KubeObject>(resource: ResourceDefinition<T>): Informer<T> {
      const real = informers.of(resource);
      if (resource.plural !== 'pods') return real;
      const seen = new Map<string, Stored<T>[]>();
      return {
        list: (namespace) => real.list(namespace),
        subscribe: (handlers) => real.subscribe(handlers),
        addIndex: (name, valuesOf) => real.addIndex(name, valuesOf),
        synced: () => real.synced(),
        byIndex(index, value) {
          const key = `${index} ${value}`;
          if (!lag.on || !seen.has(key)) seen.set(key, real.byIndex(index, value));
          return seen.get(key) ?? [];
        },
        get(namespace, name) {
          if (!lag.on) return real.get(namespace, name);
          return [...seen.values()].flat().find((pod) => pod.metadata.name === name);
        },
      };
    },
  };
}

test('while the cache does not show what the controller did, it decides nothing more', () =>
  withCluster(async (cluster) => {
    await cluster.createSet({ spec: { replicas: 4 } });
    await cluster.behave();
    await cluster.kill();
    const lag = { on: false };
    cluster.run((informers) => laggingPods(informers, lag));
    await cluster.settle();
    lag.on = true;
    const [container] = (await cluster.set()).spec.template.spec?.containers ?? [];
    await cluster.patchSet({ template: { spec: { containers: [{ ...container, image: 'nginx:9' }] } } });
    const terminating = async (): Promise<string[]> => {
      const { items } = await cluster.client.list(pods, { namespace: NAMESPACE });
      return items.filter(isTerminating).map((pod) => pod.metadata.name);
    };
    assert.deepEqual(await terminating(), ['web-3']);
    // In the stale cache all four are still there and ready.
    await cluster.patchSet({ replicas: 2 });
    await cluster.clock.advance(60_000);
    assert.deepEqual(await terminating(), ['web-3']);
    lag.on = false;
    await cluster.finish('web-3');
    assert.deepEqual(await terminating(), ['web-2']);
  }));

/** A client that does something else first, or something more, with the calls that `meddle` takes. */
function meddling(client: Client, meddle: Partial<Client>): Client {
  return Object.assign(Object.create(client), {
    get: client.get.bind(client),
    list: client.list.bind(client),
    watch: client.watch.bind(client),
    create: client.create.bind(client),
    createSubresource: client.createSubresource.bind(client),
    update: client.update.bind(client),
    patch: client.patch.bind(client),
    delete: client.delete.bind(client),
    ...meddle,
  });
}

test('no pod is made before the revision that the set begins with is on record', () =>
  withCluster(async (cluster) => {
    await cluster.kill();
    let meddled = false;
    const client = meddling(cluster.client, {
      update: async (resource, object, options) => {
        if (options?.subresource === 'status' && !meddled) {
          meddled = true;
          assert.deepEqual(await cluster.podNames(), []);
          // The template changes before the controller's first word about the set arrives.
          const body = { spec: { template: { metadata: { annotations: { changed: 'yes' } } } } };
          await cluster.client.patch(
            statefulSets,
            { namespace: NAMESPACE, name: 'web' },
            { type: 'merge', body },
          );
        }
        return cluster.client.update(resource, object, options);
      },
    });
    cluster.run(undefined, client);
    await cluster.settle();
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 1 } };
    await cluster.createSet({ spec: { updateStrategy } });
    const { status } = await cluster.set();
    assert.ok(meddled);
    assert.equal(status?.currentRevision, status?.updateRevision);
    const pod = await cluster.pod('web-0');
    assert.equal(pod.metadata.labels?.['controller-revision-hash'], status?.currentRevision);
    assert.equal(pod.metadata.annotations?.changed, 'yes');
  }));

test('a creation whose answer was lost is looked up before anything else is decided', () =>
  withCluster(async (cluster) => {
    await cluster.createSet({ spec: { replicas: 1 } });
    await cluster.behave();
    await cluster.kill();
    const lag = { on: false };
    const client = meddling(cluster.client, {
      create: async (resource, object) => {
        const created = await cluster.client.create(resource, object);
        if (created.metadata.name === 'web-1') throw new Error('the connection was closed');
        return created;
      },
    });
    cluster.run((informers) => laggingPods(informers, lag), client);
    await cluster.settle();
    lag.on = true;
    await cluster.patchSet({ replicas: 2 });
    await cluster.patchSet({ replicas: 0 });
    await cluster.clock.advance(60_000);
    const { items } = await cluster.client.list(pods, { namespace: NAMESPACE });
    assert.deepEqual(
      items.map((pod) => [pod.metadata.name, isTerminating(pod)]),
      [
        ['web-0', false],
        ['web-1', false],
      ],
    );
    lag.on = false;
    await cluster.patchSet({ replicas: 0, minReadySeconds: 1 });
    assert.deepEqual(await cluster.podNames(), ['web-0']);
  }));

test('the current revision holds although the cache of revisions does not show it yet', () =>
  withCluster(async (cluster) => {
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 1 } };
    await cluster.createSet({ spec: { replicas: 1, updateStrategy } });
    await cluster.behave();
    const { currentRevision } = (await cluster.set()).status ?? {};
    await cluster.kill();
    cluster.run((informers) => withoutRevisions(informers));
    await cluster.setImage('nginx:9');
    await cluster.client.delete(pods, { namespace: NAMESPACE, name: 'web-0' }, { gracePeriodSeconds: 0 });
    await cluster.settle();
    const made = await cluster.pod('web-0');
    assert.equal(made.metadata.labels?.['controller-revision-hash'], currentRevision);
  }));

/** Informers whose cache of revisions is empty. */
function withoutRevisions(informers: Informers): Informers {
  return {
    of<T extends KubeObject>(resource: ResourceDefinition<T>): Informer<T> {
      const real = informers.of(resource);
      if (resource.plural !== 'controllerrevisions') return real;
      return {
        list: () => [],
        get: () => undefined,
        byIndex: () => [],
        subscribe: () => () => {},
        addIndex: () => {},
        synced: () => real.synced(),
      };
    },
  };
}
