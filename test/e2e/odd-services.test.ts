// Services as users write them, with all that is odd about them, through kubectl and to real pods: who answers there, by
// traffic and by name.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { run } from '../kit/run.ts';
import { eventually, noContainers, TestStead } from '../kit/stead.ts';

/** Of a range for documentation: nobody's. */
const EXTERNAL_IP = '203.0.113.200';

const PODS = `
apiVersion: v1
kind: Service
metadata: { name: db }
spec: { clusterIP: None, selector: { app: db }, ports: [{ name: http, port: 8080 }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  replicas: 3
  podManagementPolicy: Parallel
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: c
          image: stead.dev/toolbox:1
          command:
            - sh
            - -c
            - |
              mkdir /tmp/web /tmp/admin
              hostname > /tmp/web/index.html
              echo admin > /tmp/admin/index.html
              busybox httpd -p 8081 -h /tmp/admin
              exec busybox httpd -f -p 8080 -h /tmp/web
          ports: [{ name: http, containerPort: 8080 }, { name: admin, containerPort: 8081 }]
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 }
`;

const service = (name: string, spec: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: { name: ${name} }\nspec: ${spec}\n`;

const slice = (name: string, of: string, endpoints: string): string => `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}, labels: { kubernetes.io/service-name: ${of} } }
addressType: IPv4
ports: [{ name: "", port: 8080, protocol: TCP }]
endpoints: [${endpoints}]
`;

describe('Services', { skip: noContainers }, () => {
  let stead: TestStead;
  const pods = ['', '', ''];

  /** What curl gets on the machine: the body, or `refused`, or its exit code. */
  const ask = async (at: string): Promise<string> => {
    const { code, stdout } = await run('curl', ['-sS', '-m', '2', `http://${at}/`]);
    return code === 0 ? stdout.trim() : code === 7 ? 'refused' : `${code}`;
  };
  const addressOf = (name: string): Promise<string> => stead.field(`svc/${name}`, '.spec.clusterIP');
  /** Waits until the address has given exactly these answers, twenty times in a row. */
  const answers = (at: string, ...wanted: string[]): Promise<string> =>
    eventually(
      `${at} answers`,
      async () => {
        const seen = new Set<string>();
        for (let count = 0; count < 20; count++) seen.add(await ask(at));
        return [...seen].sort().join(' ');
      },
      (seen) => seen === wanted.join(' '),
    );

  before(async () => {
    stead = await TestStead.start('toolbox');
    await stead.apply(PODS);
    await stead.ready('db', 3);
    for (const index of pods.keys()) pods[index] = await stead.field(`pod/db-${index}`, '.status.podIP');
  });
  after(() => stead?.purge());

  it('of several ports lead to each by its name or number, and one number is two ports by two protocols', async () => {
    await stead.apply(
      service(
        'several',
        `
  selector: { app: db }
  ports:
    - { name: web, port: 80, targetPort: http }
    - { name: admin, port: 81, targetPort: admin }
    - { name: number, port: 82, targetPort: 8081 }
    - { name: both-udp, port: 53, protocol: UDP, targetPort: 8053 }
    - { name: both-tcp, port: 53, targetPort: http }`,
      ),
    );
    const address = await addressOf('several');
    await answers(`${address}:80`, 'db-0', 'db-1', 'db-2');
    await answers(`${address}:53`, 'db-0', 'db-1', 'db-2');
    assert.equal(await ask(`${address}:81`), 'admin');
    assert.equal(await ask(`${address}:82`), 'admin');
    assert.equal(await ask(`${address}:83`), 'refused');
  });

  it('with affinity keep a client with its pod', async () => {
    const affinity = 'sessionAffinity: ClientIP, sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } }';
    await stead.apply(
      service('sticky', `{ selector: { app: db }, ${affinity}, ports: [{ port: 80, targetPort: 8080 }] }`),
    );
    const address = await addressOf('sticky');
    const first = await eventually(
      'it answers',
      () => ask(address),
      (answer) => answer.startsWith('db-'),
    );
    for (let count = 0; count < 20; count++) assert.equal(await ask(address), first);
  });

  it('follow their selector, the labels of pods, and the selector’s going', async () => {
    await stead.apply(service('picky', '{ selector: { app: db }, ports: [{ port: 80, targetPort: 8080 }] }'));
    const address = await addressOf('picky');
    await answers(address, 'db-0', 'db-1', 'db-2');
    await stead.kubectl('label', 'pod/db-2', 'picked=yes');
    await stead.kubectl('patch', 'svc/picky', '-p', '{"spec":{"selector":{"picked":"yes"}}}');
    await answers(address, 'db-2');
    await stead.kubectl('label', 'pod/db-1', 'picked=yes');
    await answers(address, 'db-1', 'db-2');
    await stead.kubectl('label', 'pod/db-1', 'picked-');
    await answers(address, 'db-2');
    await stead.kubectl(
      ...['patch', 'svc/picky', '--type', 'json', '-p', '[{"op":"remove","path":"/spec/selector"}]'],
    );
    // What it led to stays, and is nobody's to change: as upstream.
    await answers(address, 'db-2');
  });

  it('without a selector lead where Endpoints or slices by hand say, which may be about to go', async () => {
    const ports = '{ ports: [{ port: 80, targetPort: 8080 }] }';
    await stead.apply(
      [
        service('by-endpoints', ports),
        `apiVersion: v1\nkind: Endpoints\nmetadata: { name: by-endpoints }\nsubsets: [{ addresses: [{ ip: ${pods[0]} }], ports: [{ port: 8080 }] }]\n`,
        service('by-slice', ports),
        slice(
          'by-hand',
          'by-slice',
          `{ addresses: [${pods[1]}], conditions: { ready: false, serving: true, terminating: true } },
           { addresses: [${pods[2]}], conditions: { ready: false, serving: false, terminating: true } }`,
        ),
      ].join('---\n'),
    );
    await answers(await addressOf('by-endpoints'), 'db-0');
    await answers(await addressOf('by-slice'), 'db-1');
    await stead.apply(
      slice(
        'by-hand',
        'by-slice',
        `{ addresses: [${pods[0]}], conditions: { ready: true } },
         { addresses: [${pods[1]}], conditions: { ready: false, serving: true, terminating: true } }`,
      ),
    );
    await answers(await addressOf('by-slice'), 'db-0');
    await stead.kubectl('delete', 'endpointslice/by-hand', 'endpoints/by-endpoints');
    await answers(await addressOf('by-slice'), 'refused');
    await answers(await addressOf('by-endpoints'), 'refused');
  });

  it('have external addresses, until they become a name; a name may be that of a headless one', async () => {
    const ports = 'ports: [{ port: 80, targetPort: 8080 }]';
    await stead.apply(
      service('outside', `{ selector: { app: db }, externalIPs: [${EXTERNAL_IP}], ${ports} }`),
    );
    await answers(EXTERNAL_IP, 'db-0', 'db-1', 'db-2');
    const fromPod = ['curl', '-sS', '-m', '2', `http://${EXTERNAL_IP}/`];
    assert.match(await stead.exec('db-0', ...fromPod), /^db-\d$/m);
    const name = 'db.default.svc.cluster.local';
    await stead.apply(service('outside', `{ type: ExternalName, externalName: ${name} }`));
    const found = await eventually(
      'its name leads to the pods',
      () => stead.addresses('outside.default.svc.cluster.local'),
      (addresses) => addresses.length === 3,
    );
    assert.deepEqual(found, pods.toSorted());
    assert.match(await stead.exec('db-0', 'curl', '-sS', '-m', '2', 'http://outside:8080/'), /^db-\d$/m);
  });

  it('of another’s proxy are left alone, and those of a policy lead to the pods of this node', async () => {
    const ports = 'ports: [{ port: 80, targetPort: 8080 }]';
    await stead.apply(
      [
        service('foreign', `{ selector: { app: db }, ${ports} }`).replace(
          'name: foreign',
          'name: foreign, labels: { service.kubernetes.io/service-proxy-name: other }',
        ),
        service('inside', `{ selector: { app: db }, internalTrafficPolicy: Local, ${ports} }`),
        service('near', `{ selector: { app: db }, trafficDistribution: PreferSameZone, ${ports} }`),
      ].join('---\n'),
    );
    await answers(await addressOf('inside'), 'db-0', 'db-1', 'db-2');
    await answers(await addressOf('near'), 'db-0', 'db-1', 'db-2');
    await answers(await addressOf('foreign'), 'refused');
  });
});
