// Those of upstream's end-to-end tests of StatefulSet (kubernetes/kubernetes test/e2e/apps/statefulset.go) in which a
// container, a volume or a port matters, on real containers. Each test names upstream's.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { V1Container, V1PodTemplateSpec } from '@kubernetes/client-node';
import { eventually, noContainers, TestStead } from '../kit/stead.ts';
import { TestNamespace } from './namespace.ts';
import { type Probe, partitionAndFinalizer, rollbackTest } from './rollouts.ts';
import { evictedTest, scalingTest } from './scaling.ts';
import { createSet, IMAGE, LABELS, podNames, scale, untilReady } from './sets.ts';

/** Runs until it is told to stop; ready while /tmp/ready is there. */
const PATIENT: V1Container = {
  name: 'webserver',
  image: IMAGE,
  command: ['sh', '-c', 'touch /tmp/ready; trap "exit 0" TERM; while true; do sleep 0.1; done'],
  readinessProbe: { exec: { command: ['test', '-e', '/tmp/ready'] }, periodSeconds: 1, failureThreshold: 1 },
};

/** Serves /index.html, which its readiness probe asks for. */
const WEB_SERVER: V1Container = {
  name: 'webserver',
  image: IMAGE,
  readinessProbe: { httpGet: { path: '/index.html', port: 80 }, periodSeconds: 1, failureThreshold: 1 },
};

/** Stops with 1 in ss-0, and with 0 elsewhere. */
const SORE_LOSER: V1Container = {
  name: 'sleep-exit-with-1',
  image: IMAGE,
  command: [
    'sh',
    '-c',
    'stop() { test $(hostname) != ss-0; exit $?; }; trap stop TERM; while true; do sleep 0.1; done',
  ],
};

/** The first member takes writes, the others follow it by its name in DNS. */
const REDIS: V1Container = {
  name: 'redis',
  image: 'stead.dev/redis:7',
  command: [
    'sh',
    '-c',
    'test $(hostname) = ss-0 || follow="--replicaof ss-0.test 6379"; ' +
      'exec redis-server --dir /data --appendonly yes --bind 0.0.0.0 --protected-mode no $follow',
  ],
  readinessProbe: { exec: { command: ['redis-cli', 'ping'] }, periodSeconds: 1 },
  volumeMounts: [{ name: 'datadir', mountPath: '/data' }],
};

const templateOf = (...containers: V1Container[]): V1PodTemplateSpec => ({
  metadata: { labels: LABELS },
  spec: { terminationGracePeriodSeconds: 5, containers },
});

describe('StatefulSets on real containers, as upstream tests them', { skip: noContainers }, () => {
  let stead: TestStead;
  before(async () => {
    stead = await TestStead.start('nginx-slim', 'toolbox', 'redis');
  });
  after(() => stead?.purge());

  const exec = (space: TestNamespace, pod: string, script: string): Promise<string> =>
    stead.kubectl('exec', '-n', space.name, pod, '--', 'sh', '-c', script);
  /** A probe that fails because what it asks for is moved away. */
  const moving = (from: string, to: string): Probe => ({
    async breakIt(space, ...pods) {
      for (const pod of pods) await exec(space, pod, `mv ${from} ${to}`);
    },
    async restore(space, ...pods) {
      for (const pod of pods) await exec(space, pod, `mv ${to} ${from}`);
    },
  });

  // upstream: "should provide basic identity"
  it('gives each pod a name and a volume that outlive it', () =>
    TestNamespace.use(stead, 'identity', async (space) => {
      const datadir = { name: 'datadir', mountPath: '/data' };
      const set = await createSet(space, {
        claims: ['datadir'],
        template: templateOf({ ...PATIENT, volumeMounts: [datadir] }),
      });
      await untilReady(space, set);
      const all = podNames(space);
      assert.deepEqual(all, ['ss-0', 'ss-1', 'ss-2']);
      for (const pod of all) {
        assert.equal(await exec(space, pod, 'hostname'), `${pod}\n`);
        assert.equal(space.pods.get(pod)?.spec?.subdomain, 'test');
        await exec(space, pod, 'hostname | dd of=/data/hostname conv=fsync');
        await exec(space, pod, 'ln -s /data/hostname /data/hostname-symlink');
      }
      await scale(space, 'ss', 0);
      await space.until('all are gone', () => space.pods.size === 0);
      await untilReady(space, await scale(space, 'ss', 3));
      for (const pod of all) {
        assert.equal(await exec(space, pod, 'cat /data/hostname /data/hostname-symlink'), `${pod}\n${pod}\n`);
        assert.equal(await exec(space, pod, 'touch /data/usable && ls /data/usable'), '/data/usable\n');
      }
    }));

  // upstream: "should perform rolling updates and roll backs of template modifications with PVCs"
  it('updates from the highest ordinal down and rolls back, each pod with its data', () =>
    TestNamespace.use(stead, 'rollback', async (space) => {
      const datadir = { name: 'datadir', mountPath: '/data' };
      const begin =
        'touch /tmp/ready; hostname >> /data/hostnames; trap "exit 0" TERM; while true; do sleep 0.1; done';
      const container = { ...PATIENT, command: ['sh', '-c', begin], volumeMounts: [datadir] };
      await rollbackTest(space, moving('/tmp/ready', '/tmp/away'), {
        claims: ['datadir'],
        template: templateOf(container),
      });
      for (const pod of podNames(space))
        assert.equal(await exec(space, pod, 'cat /data/hostnames'), `${pod}\n`.repeat(3));
    }));

  // upstream: "should perform canary updates and phased rolling updates of template modifications for partiton1 and
  // delete pod-0 with failing container"
  it('makes a pod below the partition again at the old revision though a container of it fails as it stops', () =>
    TestNamespace.use(stead, 'failing', async (space) => {
      let phase: string | undefined;
      space.observers.add(() => {
        const pod = space.pods.get('ss-0');
        if (pod?.metadata?.deletionTimestamp) phase = pod.status?.phase;
      });
      await partitionAndFinalizer(space, { template: templateOf(PATIENT, SORE_LOSER) });
      assert.equal(phase, 'Failed', 'the container has failed');
    }));

  // upstream: "Scaling should happen in predictable order and halt if any stateful pod is unhealthy"
  it('scales in order, and halts both ways while a web server does not answer its probe', () =>
    TestNamespace.use(stead, 'order', (space) => {
      const probe = moving('/usr/share/nginx/html/index.html', '/tmp/index.html');
      return scalingTest(space, probe, { template: templateOf(WEB_SERVER) });
    }));

  // upstream: "Should recreate evicted statefulset"
  it('makes a pod again that its node refused for a taken host port, until the port is free', () =>
    TestNamespace.use(stead, 'evicted', evictedTest));

  // upstream: "should delete PVCs with a OnScaledown policy" and, below, with the set:
  // upstream: "should delete PVCs with a WhenDeleted policy"
  it('deletes the volumes with the claims that retention lets go', () =>
    TestNamespace.use(stead, 'retention', async (space) => {
      const { core, apps, name: namespace } = space;
      const volumes = async (): Promise<string[]> => {
        const { items } = await core.listPersistentVolume();
        const ours = items.filter(({ spec }) => spec?.claimRef?.namespace === namespace);
        return ours.map(({ spec }) => spec?.claimRef?.name ?? '').sort();
      };
      const untilVolumes = (...names: string[]): Promise<string[]> =>
        eventually(`volumes of ${names}`, volumes, (there) => there.join() === names.join());
      const datadir = { name: 'datadir', mountPath: '/data' };
      const set = await createSet(space, {
        replicas: 2,
        claims: ['datadir'],
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
        template: templateOf({ ...PATIENT, volumeMounts: [datadir] }),
      });
      await untilReady(space, set);
      await untilVolumes('datadir-ss-0', 'datadir-ss-1');
      await exec(space, 'ss-0', 'echo kept > /data/file');
      await untilReady(space, await scale(space, 'ss', 1));
      await untilVolumes('datadir-ss-0');
      // The volume of before is gone with what was on it; that of the pod that stayed is not.
      await untilReady(space, await scale(space, 'ss', 2));
      assert.equal(await exec(space, 'ss-1', 'ls /data'), '');
      assert.equal(await exec(space, 'ss-0', 'cat /data/file'), 'kept\n');
      await apps.deleteNamespacedStatefulSet({ name: 'ss', namespace });
      await untilVolumes();
      assert.deepEqual([...space.claims.keys()], []);
    }));

  // upstream: "should creating a working redis cluster"; the ones of ZooKeeper, MySQL and CockroachDB do the same with
  // applications for which there is no small image.
  it('runs a cluster that finds its first member by name: what is written there outlives a restart of all', () =>
    TestNamespace.use(stead, 'redis', async (space) => {
      await untilReady(space, await createSet(space, { claims: ['datadir'], template: templateOf(REDIS) }));
      assert.equal(await exec(space, 'ss-0', 'redis-cli set foo bar'), 'OK\n');
      await scale(space, 'ss', 0);
      await space.until('all are gone', () => space.pods.size === 0);
      await untilReady(space, await scale(space, 'ss', 3));
      await eventually(
        'the last member has what was written to the first',
        () => exec(space, 'ss-2', 'redis-cli get foo'),
        (value) => value === 'bar\n',
      );
      assert.match(await exec(space, 'ss-2', 'redis-cli info replication'), /master_host:ss-0\.test/);
    }));
});
