// Names as programs in pods ask for them: through the search path of their resolv.conf, by glibc and by musl, whose
// resolvers walk it differently, ask for both families at once, and take "no such name" for different things.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { noContainers, TestStead } from '../kit/stead.ts';
import { type Beyond, startBeyond } from './beyond.ts';

const IMAGE = 'stead.dev/resolvers:1';
const noMusl = existsSync('/usr/bin/musl-gcc') ? false : 'there is no musl-gcc (musl-tools)';

const MANIFEST = `
apiVersion: v1
kind: Service
metadata: { name: db }
spec: { clusterIP: None, selector: { app: db }, ports: [{ port: 80, name: x }] }
---
apiVersion: v1
kind: Service
metadata: { name: plain }
spec: { selector: { app: db }, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: empty }
spec: { clusterIP: None, selector: { app: nobody } }
---
apiVersion: v1
kind: Service
metadata: { name: far }
spec: { type: ExternalName, externalName: www.example.org }
---
apiVersion: v1
kind: Service
metadata: { name: near }
spec: { type: ExternalName, externalName: db-1.db.default.svc.cluster.local }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  replicas: 2
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{ name: c, image: "${IMAGE}", command: [sleep, "1000"] }]
`;

describe('resolvers in pods', { skip: noContainers || noMusl }, () => {
  let stead: TestStead;
  let beyond: Beyond;
  before(async () => {
    beyond = await startBeyond((name, { questions }) => {
      if (name !== 'www.example.org') return { flags: 3 };
      const isA = questions?.[0]?.type === 'A';
      return { answers: isA ? [{ type: 'A', name, ttl: 60, data: '192.0.2.53' }] : [] };
    });
    const forward = ['--dns-forward', `127.0.0.1:${beyond.port}`];
    stead = await TestStead.startIn(tmpdir(), forward, 'resolvers');
    await stead.apply(MANIFEST);
    await stead.ready('db', 2);
  });
  after(async () => {
    await stead?.purge();
    beyond?.close();
  });

  const kubeDns = async (): Promise<string> => {
    const path = 'jsonpath={.spec.clusterIP}';
    return stead.kubectl('get', 'service', '-n', 'kube-system', 'kube-dns', '-o', path);
  };

  it('reach the server by the address of kube-dns, too', async () => {
    const name = 'db-1.db.default.svc.cluster.local';
    const printed = await stead.exec('db-0', 'nslookup', '-type=a', name, await kubeDns());
    assert.ok(printed.includes(await stead.field('pod/db-1', '.status.podIP')), printed);
  });

  for (const library of ['glibc', 'musl']) {
    describe(library, () => {
      const resolve = async (name: string): Promise<string[]> => {
        const command = `getaddrinfo-${library} ${name} || true`;
        const printed = await stead.exec('db-0', 'sh', '-c', command);
        return printed.trim().split('\n').sort();
      };
      const ipOf = (pod: string): Promise<string> => stead.field(`pod/${pod}`, '.status.podIP');

      it('finds a peer by each form of its name', async () => {
        const ip = await ipOf('db-1');
        const full = 'db-1.db.default.svc.cluster.local';
        for (const name of ['db-1.db', 'db-1.db.default', 'db-1.db.default.svc', full, `${full}.`, 'DB-1.dB'])
          assert.deepEqual(await resolve(name), [ip], name);
      });
      it('finds a Service: all its pods, or its address', async () => {
        assert.deepEqual(await resolve('db'), [await ipOf('db-0'), await ipOf('db-1')].sort());
        assert.deepEqual(await resolve('plain'), [await stead.field('service/plain', '.spec.clusterIP')]);
        assert.deepEqual(await resolve('kube-dns.kube-system'), [await kubeDns()]);
      });
      it('follows an alias, inside and outside', async () => {
        assert.deepEqual(await resolve('near'), [await ipOf('db-1')]);
        assert.deepEqual(await resolve('far'), ['192.0.2.53']);
      });
      it('finds names outside behind those of the search path', async () => {
        assert.deepEqual(await resolve('www.example.org'), ['192.0.2.53']);
      });
      it('says at once that there is no such name', async () => {
        for (const name of ['empty', 'db-7.db', 'nobody', 'nobody.example.org'])
          assert.match((await resolve(name)).join(), /not known|does not resolve/, name);
      });
    });
  }
});
