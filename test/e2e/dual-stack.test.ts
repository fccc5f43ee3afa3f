// Pods and Services with addresses of both families, on a machine that has both: what pods are told of them, names by AAAA and
// ip6.arpa, Services by IPv6; and a data directory of IPv4 alone that gets the second family while its pods run.
import assert from 'node:assert/strict';
import { networkInterfaces, tmpdir } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { eventually, noContainers, TestStead } from '../kit/stead.ts';

const TOOLBOX = 'stead.dev/toolbox:1';
const DOMAIN = 'default.svc.cluster.local';
const CLI_PATIENCE = ['--max-time', '5'];

const hasIPv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(
    ({ address, family, internal }) => family === 'IPv6' && !internal && !address.startsWith('fe80:'),
  ),
);
const skip = noContainers || (hasIPv6 ? false : 'this machine has no IPv6 address');

const MANIFEST = `
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  clusterIP: None
  ipFamilyPolicy: PreferDualStack
  selector: { app: web }
  ports: [{ name: http, port: 8080 }]
---
apiVersion: v1
kind: Service
metadata: { name: front }
spec:
  ipFamilyPolicy: PreferDualStack
  selector: { app: web }
  ports: [{ name: http, port: 80, targetPort: 8080 }]
---
apiVersion: v1
kind: Service
metadata: { name: six }
spec:
  ipFamilies: [IPv6]
  selector: { app: web }
  ports: [{ name: http, port: 80, targetPort: 8080 }]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: web }
spec:
  serviceName: web
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: c
          image: ${TOOLBOX}
          command: [sh, -c, "hostname > /tmp/index.html; exec busybox httpd -f -p [::]:8080 -h /tmp"]
          env:
            - { name: POD_IPS, valueFrom: { fieldRef: { fieldPath: status.podIPs } } }
            - { name: HOST_IPS, valueFrom: { fieldRef: { fieldPath: status.hostIPs } } }
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 }
`;

const CLOSED = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: closed }
spec: { podSelector: {}, policyTypes: [Ingress] }
`;

const families = (addresses: readonly string[]): string[] =>
  addresses.map((address) => (address.includes(':') ? 'IPv6' : 'IPv4'));
const BOTH = ['IPv4', 'IPv6'];

const podIps = async (stead: TestStead, pod: string): Promise<string[]> =>
  (await stead.field(`pod/${pod}`, '.status.podIPs[*].ip')).split(' ').filter(Boolean);

describe('both families', { skip }, () => {
  let stead: TestStead;
  let second: string[] = [];

  before(async () => {
    stead = await TestStead.start('toolbox');
    await stead.apply(MANIFEST);
    await stead.ready('web', 2);
    second = await podIps(stead, 'web-1');
  });
  after(() => stead?.purge());

  const get = (url: string): Promise<string> => stead.exec('web-0', 'curl', '-sS', ...CLI_PATIENCE, url);
  const seen = async (url: string): Promise<string> => {
    const names = new Set<string>();
    for (let i = 0; i < 40; i++) names.add((await get(url)).trim());
    return [...names].sort().join();
  };

  it('are told of pods and of the node, and told to pods', async () => {
    assert.deepEqual(families(second), BOTH);
    const node = await stead.field('node', '.items[0].status.addresses[?(@.type=="InternalIP")].address');
    assert.deepEqual(families(node.split(' ')), BOTH);
    assert.equal(await stead.field('pod/web-1', '.status.hostIPs[*].ip'), node);
    const told = await stead.exec('web-1', 'sh', '-c', 'echo $POD_IPS $HOST_IPS; cat /etc/hosts');
    assert.ok(told.startsWith(`${second.join()} ${node.replace(' ', ',')}\n`), told);
    for (const ip of second) assert.match(told, new RegExp(`^${ip}\\s+web-1.web.${DOMAIN}\\s+web-1$`, 'm'));
  });

  it('lead from pod to pod, and to a Service by its name or address', async () => {
    for (const ip of second) {
      const host = ip.includes(':') ? `[${ip}]` : ip;
      assert.equal(await get(`http://${host}:8080/`), 'web-1\n');
    }
    assert.equal(await seen(`http://six/`), 'web-0,web-1');
    const addresses = (await stead.field('service/front', '.spec.clusterIPs[*]')).split(' ');
    assert.deepEqual(families(addresses), BOTH);
    assert.equal(await seen(`http://[${addresses[1]}]/`), 'web-0,web-1');
    assert.equal(await seen(`http://${addresses[0]}/`), 'web-0,web-1');
  });

  it('lead from the machine to a Service, and nowhere at once where nobody has an address', async () => {
    const six = await stead.field('service/six', '.spec.clusterIP');
    assert.match(await (await fetch(`http://[${six}]/`)).text(), /^web-[01]\n$/);
    const nobody = six.replace(/[^:]*$/, 'ffff');
    const { stderr } = await stead.tryKubectl([
      'exec',
      'web-0',
      '--',
      'curl',
      '-sS',
      ...CLI_PATIENCE,
      `http://[${nobody}]/`,
    ]);
    assert.match(stderr, /exit code 7$/m);
  });

  it('have names: AAAA beside A, and back by ip6.arpa', async () => {
    const resolver = stead.resolver();
    const six = second[1] ?? '';
    assert.deepEqual(await resolver.resolve6(`web-1.web.${DOMAIN}`), [six]);
    assert.ok((await resolver.reverse(six)).includes(`web-1.web.${DOMAIN}`));
    const asked = await stead.exec('web-0', 'drill', `web-1.web.${DOMAIN}`, 'AAAA');
    assert.ok(asked.includes(six), asked);
    assert.ok((await stead.exec('web-0', 'getent', 'ahostsv6', 'web-1.web')).startsWith(`${six} `));
  });

  it('are both closed by a NetworkPolicy', async () => {
    const reach = async (ip: string): Promise<string> => {
      const host = ip.includes(':') ? `[${ip}]` : ip;
      const curl = ['curl', '-sS', '--max-time', '2', `http://${host}:8080/`];
      return (await stead.tryKubectl(['exec', 'web-0', '--', ...curl])).stdout;
    };
    await stead.apply(CLOSED);
    for (const ip of second)
      await eventually(
        `${ip} is closed`,
        () => reach(ip),
        (text) => text === '',
      );
    await stead.kubectl('delete', 'networkpolicy', 'closed');
    for (const ip of second)
      await eventually(
        `${ip} is open`,
        () => reach(ip),
        (text) => text === 'web-1\n',
      );
  });
});

describe('a data directory of IPv4 alone', { skip }, () => {
  let stead: TestStead;

  before(async () => {
    stead = await TestStead.startIn(tmpdir(), ['--service-cidr', '10.213.0.0/16'], 'toolbox');
    await stead.apply(MANIFEST.replace('ipFamilies: [IPv6]', 'ipFamilyPolicy: PreferDualStack'));
    await stead.ready('web', 2);
  });
  after(() => stead?.purge());

  it('gets IPv6 at the next start; pods that run keep what they have, and new ones have both', async () => {
    const before = await podIps(stead, 'web-1');
    assert.deepEqual(families(before), ['IPv4']);
    const started = await stead.field('pod/web-1', '.status.containerStatuses[0].state.running.startedAt');
    stead.kill();
    await stead.up();
    await eventually(
      'the node has two addresses',
      () => stead.field('node', '.items[0].status.addresses[?(@.type=="InternalIP")].address'),
      (addresses) => addresses.includes(' '),
    );
    await stead.kubectl('delete', 'pod', 'web-0');
    await stead.ready('web', 2);
    const fresh = await podIps(stead, 'web-0');
    assert.deepEqual(families(fresh), BOTH);
    assert.deepEqual(await podIps(stead, 'web-1'), before);
    assert.equal(
      await stead.field('pod/web-1', '.status.containerStatuses[0].state.running.startedAt'),
      started,
    );
    const patch = JSON.stringify({ spec: { ipFamilyPolicy: 'RequireDualStack' } });
    await stead.kubectl('patch', 'service', 'front', '--patch', patch);
    const six = (await stead.field('service/front', '.spec.clusterIPs[1]')) ?? '';
    await eventually(
      'the Service leads to the new pod by IPv6',
      () => stead.exec('web-0', 'curl', '-sS', ...CLI_PATIENCE, `http://[${six}]/`).catch(String),
      (text) => text === 'web-0\n',
    );
  });
});
