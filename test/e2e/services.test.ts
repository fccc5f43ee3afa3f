// A set behind a Service with an address: reached from a pod, from the machine and by a node port, refused when nobody is
// there, and reached still while stead itself is gone.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { run } from '../kit/run.ts';
import { eventually, noContainers, TestStead } from '../kit/stead.ts';

const TOOLBOX = 'stead.dev/toolbox:1';
const NODE_PORT = 30_480;
const BALANCED_PORT = 18_480;
const REQUESTS = 10_000;
const CLIENTS = 10;

const MANIFEST = `
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: NodePort
  selector: { app: web }
  ports: [{ port: 80, targetPort: 8080, nodePort: ${NODE_PORT} }]
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
      terminationGracePeriodSeconds: 3
      containers:
        - name: c
          lifecycle: { preStop: { sleep: { seconds: 2 } } }
          image: ${TOOLBOX}
          command: [sh, -c, "hostname > /tmp/index.html; exec busybox httpd -f -p 8080 -h /tmp"]
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 }
`;

/** What the machine gets of an HTTP server: the first answer's body, or why there is none. */
function ask(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let text = '';
    socket.setTimeout(5_000, () => socket.destroy(new Error('nothing came')));
    socket.on('data', (data) => {
      text += data;
    });
    socket.on('end', () => resolve(text.split('\r\n\r\n')[1]?.trim() ?? ''));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.write('GET / HTTP/1.0\r\n\r\n');
  });
}

describe('a Service with an address', { skip: noContainers }, () => {
  let stead: TestStead;
  let address = '';
  let machine = '';
  let isPurged = false;

  before(async () => {
    stead = await TestStead.start('toolbox');
    await stead.apply(MANIFEST);
    await stead.ready('web', 2);
    address = await stead.field('service/web', '.spec.clusterIP');
    machine = await stead.field('node', '.items[0].status.addresses[0].address');
  });
  after(() => (isPurged ? undefined : stead?.purge()));

  const fromPod = async (host: string): Promise<string> => {
    const curl = ['curl', '-sS', '--max-time', '5', `http://${host}/`];
    const { stdout, stderr } = await stead.tryKubectl(['exec', 'web-0', '--', ...curl]);
    return (stdout || stderr).trim();
  };

  it('leads to each of its pods, from a pod and from the machine', async () => {
    for (const from of [() => fromPod(address), () => ask(address, 80)]) {
      const seen = new Set<string>();
      await eventually(
        'both pods have answered',
        async () => seen.add(await from()),
        () => seen.has('web-0') && seen.has('web-1'),
      );
      assert.deepEqual([...seen].sort(), ['web-0', 'web-1']);
    }
    assert.match(await fromPod('web.default.svc.cluster.local'), /^web-[01]$/);
  });

  it('is reached by its node port on the machine’s address', async () => {
    assert.match(await ask(machine, NODE_PORT), /^web-[01]$/);
    assert.match(await fromPod(`${machine}:${NODE_PORT}`), /^web-[01]$/);
  });

  it('is reached by the address that a load balancer gives it', async () => {
    await stead.apply(`
apiVersion: v1
kind: Service
metadata: { name: balanced }
spec: { type: LoadBalancer, selector: { app: web }, ports: [{ port: ${BALANCED_PORT}, targetPort: 8080 }] }
`);
    const balancer = await eventually(
      'it has an address',
      () => stead.field('service/balanced', '.status.loadBalancer.ingress[0].ip'),
      (ip) => ip !== '',
    );
    await eventually(
      'it is reached',
      () => ask(balancer, BALANCED_PORT),
      (answer) => /^web-[01]$/.test(answer),
    );
    assert.match(await fromPod(`${balancer}:${BALANCED_PORT}`), /^web-[01]$/);
  });

  it('is said to be carried', async () => {
    assert.match(await stead.must('status'), /carried by nftables \(table stead\d*\)/);
  });

  it('loses no request of a client that tries twice, through three rolling updates', async () => {
    let isDone = false;
    let asked = 0;
    const failed: string[] = [];
    const client = async (): Promise<void> => {
      while (!isDone || asked < REQUESTS) {
        asked++;
        const first = await ask(address, 80);
        if (/^web-[01]$/.test(first)) continue;
        const second = await ask(address, 80);
        if (!/^web-[01]$/.test(second)) failed.push(`${first}, then ${second}`);
      }
    };
    const clients = Array.from({ length: CLIENTS }, client);
    for (let update = 0; update < 3; update++) {
      await stead.kubectl('rollout', 'restart', 'sts/web');
      await stead.ready('web', 2);
    }
    isDone = true;
    await Promise.all(clients);
    assert.deepEqual(failed, []);
  });

  it('is reached while both processes of stead are gone, and when they are back', async () => {
    stead.kill();
    assert.match(await ask(address, 80), /^web-[01]$/);
    await stead.up();
    assert.match(await ask(address, 80), /^web-[01]$/);
  });

  it('refuses at once when its pods have gone', async () => {
    await stead.kubectl('scale', 'sts/web', '--replicas=1');
    await stead.ready('web', 1);
    await stead.kubectl('patch', 'service/web', '-p', '{"spec":{"selector":{"app":"none"}}}');
    await eventually(
      'it is refused',
      () => ask(address, 80),
      (answer) => answer === 'ECONNREFUSED',
    );
    assert.match(await fromPod(address), /Connection refused|connect to .* port 80/);
    assert.equal(await ask(machine, NODE_PORT), 'ECONNREFUSED');
  });

  it('leaves no rules behind', async () => {
    const table = /table (stead\d*)/.exec(await stead.must('status'))?.[1] ?? '';
    isPurged = true;
    await stead.purge();
    const { stdout } = await run('nft', ['list', 'tables']);
    assert.doesNotMatch(stdout, new RegExp(`^table inet ${table}$`, 'm'));
  });
});
