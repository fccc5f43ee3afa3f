// What a StatefulSet can do here beyond Kubernetes, on real containers: new images in place, claims that grow while
// they are in use, and a stuck rollout that is rolled back without a hand.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, noContainers, TestStead } from '../kit/stead.ts';

const manifest = (image: string, storage: string): string => `
apiVersion: v1
kind: Service
metadata: { name: db }
spec: { clusterIP: None, selector: { app: db }, ports: [{ port: 80, name: web }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
  annotations: { stead.dev/pod-update: in-place-if-possible }
spec:
  serviceName: db
  replicas: 2
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      terminationGracePeriodSeconds: 2
      containers:
      - name: main
        image: ${image}
        command: [sh, -c, 'trap "exit 0" TERM; while true; do sleep 0.1; done']
        volumeMounts: [{ name: data, mountPath: /data }]
  volumeClaimTemplates:
  - metadata: { name: data }
    spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: ${storage} } } }
`;

const TOOLBOX = 'stead.dev/toolbox:1';
const NGINX = 'k8s.gcr.io/nginx-slim:0.8';

describe('beyond Kubernetes', { skip: noContainers }, () => {
  let stead: TestStead;
  const identity = (pod: string) => stead.field(`pod/${pod}`, '.metadata.uid} {.status.podIP');

  before(async () => {
    stead = await TestStead.start('toolbox', 'nginx-slim');
    await stead.apply(manifest(TOOLBOX, '40Mi'));
    await stead.ready('db', 2);
    await stead.exec('db-0', 'sh', '-c', 'echo kept > /data/file');
  });
  after(() => stead?.purge());

  it('takes a new image in place: the pod, its address and its data stay', async () => {
    const before = [await identity('db-0'), await identity('db-1')];
    await stead.apply(manifest(NGINX, '40Mi'));
    await stead.ready('db', 2);
    assert.deepEqual([await identity('db-0'), await identity('db-1')], before);
    assert.equal(await stead.field('pod/db-0', '.status.containerStatuses[0].image'), NGINX);
    assert.equal(await stead.field('pod/db-0', '.status.containerStatuses[0].restartCount'), '1');
    assert.equal(await stead.exec('db-0', 'cat', '/data/file'), 'kept\n');
  });

  it('grows its claims while they are in use, and refuses to shrink them', async () => {
    const before = await identity('db-0');
    await stead.apply(manifest(NGINX, '120Mi'));
    for (const claim of ['data-db-0', 'data-db-1']) {
      await eventually(
        `${claim} has grown`,
        () => stead.field(`pvc/${claim}`, '.status.capacity.storage'),
        (size) => size === '120Mi',
      );
    }
    await stead.exec('db-0', 'dd', 'if=/dev/zero', 'of=/data/big', 'bs=1M', 'count=100');
    assert.equal(await stead.exec('db-0', 'cat', '/data/file'), 'kept\n');
    assert.equal(await identity('db-0'), before);
    const shrunk = await stead.tryKubectl(['apply', '-f', '-'], manifest(NGINX, '20Mi'));
    assert.equal(shrunk.code, 1);
    assert.match(shrunk.stderr, /spec\.volumeClaimTemplates/);
  });

  it('recovers from a rollout that got stuck, by itself, once it is undone', async () => {
    await stead.apply(manifest('k8s.gcr.io/no-such-image:1', '120Mi'));
    await eventually(
      'db-1 cannot get its image',
      () => stead.field('pod/db-1', '.status.containerStatuses[0].state.waiting.reason'),
      (reason) => /ErrImagePull|ImagePullBackOff/.test(reason),
    );
    assert.match(await stead.must('why', 'sts/db'), /db-1/);
    await stead.kubectl('rollout', 'undo', 'sts/db');
    await stead.ready('db', 2);
    assert.equal(await stead.exec('db-1', 'ls', '/data'), '');
  });
});
