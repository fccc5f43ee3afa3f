// Names that pods ask for, as the resolvers in containers ask: aliases, answers that do not fit, endpoints that somebody
// wrote by hand, names that come with readiness; and claims that come and go with their pod.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, noContainers, TestStead } from '../kit/stead.ts';

const TOOLBOX = 'stead.dev/toolbox:1';
const DOMAIN = 'default.svc.cluster.local';

const MANIFEST = `
apiVersion: v1
kind: Service
metadata: { name: db }
spec: { clusterIP: None, selector: { app: db }, ports: [{ port: 80, name: x }] }
---
apiVersion: v1
kind: Service
metadata: { name: alias }
spec: { type: ExternalName, externalName: db.${DOMAIN} }
---
apiVersion: v1
kind: Service
metadata: { name: peers }
spec: { clusterIP: None, ports: [{ name: p, port: 1234 }] }
---
apiVersion: v1
kind: Service
metadata: { name: legacy }
spec: { clusterIP: None, ports: [{ name: pg, port: 5432 }] }
---
apiVersion: v1
kind: Endpoints
metadata: { name: legacy }
subsets: [{ addresses: [{ ip: 10.99.2.1, hostname: primary }, { ip: 10.99.2.2 }], ports: [{ name: pg, port: 5432 }] }]
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
      containers:
        - name: c
          image: ${TOOLBOX}
          command: [sleep, "1000"]
          volumeMounts: [{ name: scratch, mountPath: /scratch }]
      volumes:
        - name: scratch
          ephemeral:
            volumeClaimTemplate:
              spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 64Mi } } }
`;

const peers = (count: number): string => `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: peers-1, labels: { kubernetes.io/service-name: peers } }
addressType: IPv4
ports: [{ name: p, port: 1234, protocol: TCP }]
endpoints:
${Array.from({ length: count }, (_, i) => `- { addresses: [10.99.1.${i + 1}], conditions: { ready: true } }`).join('\n')}
`;

describe('names', { skip: noContainers }, () => {
  let stead: TestStead;
  before(async () => {
    stead = await TestStead.start('toolbox');
    await stead.apply(MANIFEST);
    await stead.ready('db', 2);
  });
  after(() => stead?.purge());

  /** What a command in db-0 prints; empty if it fails. */
  const inPod = async (...command: string[]): Promise<string> =>
    (await stead.tryKubectl(['exec', 'db-0', '--', ...command])).stdout.trim();
  const addressesOf = async (name: string): Promise<string[]> =>
    (await inPod('getent', 'ahostsv4', name))
      .split('\n')
      .filter((line) => line.includes('STREAM'))
      .map((line) => line.split(' ')[0] ?? '')
      .sort();

  it('an ExternalName leads to the addresses behind it', async () => {
    const ips = [
      await stead.field('pod/db-0', '.status.podIP'),
      await stead.field('pod/db-1', '.status.podIP'),
    ];
    assert.deepEqual(await addressesOf('alias'), ips.sort());
  });

  it('an answer holds as many addresses as fit, also for resolvers that ask no second time', async () => {
    const told = async (): Promise<number> =>
      (await inPod('busybox', 'nslookup', `peers.${DOMAIN}`)).split('Address: 10.99.').length - 1;
    await stead.apply(peers(12));
    await eventually('all twelve are told', told, (count) => count === 12);
    await stead.apply(peers(60));
    await eventually('as many as fit are told', told, (count) => count > 12 && count < 60);
    assert.equal((await addressesOf('peers')).length, 60, 'over TCP all of them');
  });

  it('Endpoints written by hand have names', async () => {
    assert.deepEqual(await addressesOf('primary.legacy'), ['10.99.2.1']);
    assert.deepEqual(await addressesOf('legacy'), ['10.99.2.1', '10.99.2.2']);
    await stead.kubectl('delete', 'endpoints', 'legacy');
    await eventually(
      'the names are gone',
      () => addressesOf('legacy'),
      (addresses) => addresses.length === 0,
    );
  });

  it('who has seen a pod Ready finds its name, with its new address, whatever else goes on', async () => {
    for (let round = 0; round < 5; round++) {
      const old = await stead.field('pod/db-1', '.metadata.uid');
      await stead.kubectl('delete', 'pod', 'db-1', '--wait=false');
      await eventually(
        'db-1 is another pod, and Ready',
        () => stead.field('pod/db-1', '.metadata.uid}{" "}{.status.conditions[?(@.type=="Ready")].status'),
        (seen) => seen.endsWith(' True') && !seen.startsWith(old),
      );
      const ip = await stead.field('pod/db-1', '.status.podIP');
      assert.deepEqual(await addressesOf('db-1.db'), [ip]);
    }
  });

  it('a generic ephemeral volume is a claim of its pod, mounted, and gone with it', async () => {
    const uid = await stead.field('pod/db-0', '.metadata.uid');
    assert.equal(await stead.field('pvc/db-0-scratch', '.metadata.ownerReferences[0].uid'), uid);
    assert.equal(await stead.field('pvc/db-0-scratch', '.status.phase'), 'Bound');
    await stead.kubectl('exec', 'db-0', '--', 'sh', '-c', 'echo mine > /scratch/file');
    await stead.kubectl('delete', 'pod', 'db-0');
    await stead.ready('db', 2);
    await stead.kubectl('wait', '--for=condition=Ready', 'pod/db-0', '--timeout=60s');
    assert.notEqual(await stead.field('pvc/db-0-scratch', '.metadata.ownerReferences[0].uid'), uid);
    assert.equal(await inPod('ls', '/scratch/file'), '', 'the new pod has a volume of its own');
    await stead.kubectl('delete', 'statefulset', 'db');
    await eventually(
      'claims and volumes are gone',
      () => stead.kubectl('get', 'pvc,pv', '-o', 'name'),
      (names) => names.trim() === '',
    );
  });
});
