// What a StatefulSet promises of order: up one at a time behind a ready predecessor, down in reverse, a new template
// from the highest ordinal down, and back.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, noContainers, TestStead } from '../kit/stead.ts';

/** Ready only while the file /gate/open is in the pod's volume. */
const GATED = `
apiVersion: v1
kind: Service
metadata: { name: db }
spec: { clusterIP: None, selector: { app: db }, ports: [{ port: 80, name: web }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  replicas: 1
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      terminationGracePeriodSeconds: 2
      containers:
      - name: main
        image: stead.dev/toolbox:1
        command: [sh, -c, 'trap "exit 0" TERM; while true; do sleep 0.1; done']
        readinessProbe: { exec: { command: [test, -e, /gate/open] }, periodSeconds: 1 }
        volumeMounts: [{ name: gate, mountPath: /gate }]
  volumeClaimTemplates:
  - metadata: { name: gate }
    spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 20Mi } } }
`;

describe('the order of a StatefulSet', { skip: noContainers }, () => {
  let stead: TestStead;
  const open = (pod: string) => stead.exec(pod, 'touch', '/gate/open');
  const running = (pod: string) =>
    eventually(
      `${pod} runs`,
      () => stead.field(`pod/${pod}`, '.status.phase'),
      (phase) => phase === 'Running',
    );

  before(async () => {
    stead = await TestStead.start('toolbox');
  });
  after(() => stead?.purge());

  it('creates nothing behind a pod that is not ready, says which and why, and goes on once it is', async () => {
    await stead.apply(GATED);
    await running('db-0');
    await stead.kubectl('scale', 'sts/db', '--replicas=3');
    const message = await eventually(
      'the set says what it waits for',
      () => stead.field('sts/db', '.status.conditions[?(@.type=="Progressing")].message'),
      (text) => /readiness probe/i.test(text),
    );
    assert.match(message, /db-0/);
    const why = await stead.must('why', 'sts/db');
    assert.match(why, /db-0.*readiness probe/is);
    assert.equal((await stead.kubectl('get', 'pods', '-o', 'name')).trim(), 'pod/db-0');
    await open('db-0');
    await running('db-1');
    assert.equal((await stead.tryKubectl(['get', 'pod', 'db-2'])).code, 1);
    await open('db-1');
    await running('db-2');
    await open('db-2');
    await stead.ready('db', 3);
  });

  it('scales up in order and down in reverse, each gone before the next; claims and data stay', async () => {
    for (const pod of ['db-0', 'db-1', 'db-2']) await stead.exec(pod, 'sh', '-c', 'hostname > /gate/mine');
    const watch = stead.watch('pods');
    try {
      await stead.kubectl('scale', 'sts/db', '--replicas=5');
      for (const pod of ['db-3', 'db-4']) {
        await running(pod);
        await stead.exec(pod, 'sh', '-c', 'hostname > /gate/mine; touch /gate/open');
      }
      await stead.ready('db', 5);
      await stead.kubectl('scale', 'sts/db', '--replicas=0');
      await eventually(
        'all are gone',
        () => stead.kubectl('get', 'pods', '-o', 'name'),
        (names) => names === '',
      );
      await eventually(
        'the watch saw it',
        async () => watch.events.filter(({ type }) => type === 'DELETED').length,
        (n) => n === 5,
      );
      const story = watch.events
        .map(
          ({ type, object }) =>
            `${type === 'MODIFIED' && object.metadata.deletionTimestamp ? 'STOPS' : type} ${object.metadata.name}`,
        )
        .filter((line, index, all) => !line.startsWith('MODIFIED') && all.indexOf(line) === index);
      const present = ['ADDED db-0', 'ADDED db-1', 'ADDED db-2'];
      const up = ['ADDED db-3', 'ADDED db-4'];
      const down = ['db-4', 'db-3', 'db-2', 'db-1', 'db-0'].flatMap((pod) => [
        `STOPS ${pod}`,
        `DELETED ${pod}`,
      ]);
      assert.deepEqual(story, [...present, ...up, ...down]);
    } finally {
      watch.stop();
    }
    const claims = await stead.kubectl('get', 'pvc', '-o', 'name');
    assert.equal(claims.trim().split('\n').length, 5);
    await stead.kubectl('scale', 'sts/db', '--replicas=5');
    await stead.ready('db', 5);
    for (let ordinal = 0; ordinal < 5; ordinal++) {
      assert.equal(await stead.exec(`db-${ordinal}`, 'cat', '/gate/mine'), `db-${ordinal}\n`);
    }
  });

  it('rolls a new template from the highest ordinal down, one at a time, and back', async () => {
    await stead.kubectl('scale', 'sts/db', '--replicas=3');
    await stead.ready('db', 3);
    const colour = async (pod: string) => (await stead.exec(pod, 'sh', '-c', 'echo $COLOUR')).trim();
    const watch = stead.watch('pods');
    try {
      const patch = {
        spec: {
          template: { spec: { containers: [{ name: 'main', env: [{ name: 'COLOUR', value: 'blue' }] }] } },
        },
      };
      await stead.kubectl('patch', 'sts', 'db', '-p', JSON.stringify(patch));
      await stead.ready('db', 3);
      const order = await eventually(
        'the watch saw three',
        async () =>
          watch.events.filter(({ type }) => type === 'DELETED').map(({ object }) => object.metadata.name),
        (names) => names.length === 3,
      );
      assert.deepEqual(order, ['db-2', 'db-1', 'db-0']);
    } finally {
      watch.stop();
    }
    for (const pod of ['db-0', 'db-1', 'db-2']) assert.equal(await colour(pod), 'blue');
    assert.match(await stead.kubectl('rollout', 'history', 'sts/db'), /1 .*\n2 /);
    await stead.kubectl('rollout', 'undo', 'sts/db');
    await stead.ready('db', 3);
    for (const pod of ['db-0', 'db-1', 'db-2']) assert.equal(await colour(pod), '');
  });
});
