// What a neighbour of the machine reaches, and what it does not: Services of type LoadBalancer, by the machine's own address
// and by one of a range that leads to it, and the API by --bind-address; and never what is there for pods alone. A network
// namespace stands for the neighbour.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Neighbour } from '../kit/neighbour.ts';
import { run } from '../kit/run.ts';
import { eventually, noContainers, TestStead } from '../kit/stead.ts';

const TOOLBOX = 'stead.dev/toolbox:1';
/** Of the ranges for documentation: nobody's. */
const RANGE = '203.0.113.64/29';

const web = (name: string, extra: string): string => `
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec:
  type: LoadBalancer
  ${extra}
  selector: { app: web }
  ports: [{ port: 8443, targetPort: 8080 }]
`;

const POD = `
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: web
      image: ${TOOLBOX}
      command: [sh, -c, "echo hello > /tmp/index.html; exec busybox httpd -f -p 8080 -h /tmp"]
`;

describe('a neighbour of the machine', { skip: noContainers }, () => {
  let stead: TestStead;
  let neighbour: Neighbour;
  /** What curl says there: the body, or `refused`. */
  const ask = async (url: string): Promise<string> => {
    const curl = ['-sS', '-m', '5', '--cacert', `${stead.dataDirectory}/pki/ca.crt`, url];
    const { code, stderr, stdout } = await run(...neighbour.inside('curl', curl));
    return code === 0 ? stdout.trim() : code === 7 ? 'refused' : `${code} ${stderr}`;
  };
  const addressOf = (name: string): Promise<string> =>
    stead.field(`svc/${name}`, '.status.loadBalancer.ingress[*].ip');
  const apiPort = async (): Promise<string> =>
    new URL(JSON.parse(await stead.must('status', '-o', 'json')).server).port;

  before(async () => {
    neighbour = await Neighbour.make();
    stead = await TestStead.startIn('/tmp', ['--bind-address', neighbour.machine], 'toolbox');
    await stead.apply([POD, web('first', '')].join('\n---\n'));
    await stead.kubectl('wait', '--for=condition=Ready', 'pod/web');
  });
  after(async () => {
    await stead?.purge();
    await neighbour?.end();
  });

  it('reaches a Service by the machine’s address; the next one that wants the port waits its turn', async () => {
    const own = await eventually('it has an address', () => addressOf('first'), Boolean);
    await eventually(
      'it answers',
      () => ask(`http://${own}:8443/`),
      (answer) => answer === 'hello',
    );
    await stead.apply(web('second', 'allocateLoadBalancerNodePorts: false'));
    await eventually(
      'it is told who has the port',
      () => stead.kubectl('get', 'events', '--field-selector', 'involvedObject.name=second'),
      (told) => told.includes('port 8443/TCP of this machine is the Service default/first’s'),
    );
    assert.equal(await addressOf('second'), '');
    await stead.kubectl('delete', 'service/first');
    await eventually(
      'the other has it',
      () => addressOf('second'),
      (address) => address === own,
    );
    await eventually(
      'it answers',
      () => ask(`http://${own}:8443/`),
      (answer) => answer === 'hello',
    );
  });

  it('reaches the API where it was told to listen, and not where it is for pods', async () => {
    const port = await apiPort();
    assert.equal(await ask(`https://${neighbour.machine}:${port}/readyz`), 'ok');
    const gateway = stead.dns.split(':')[0];
    assert.equal(await ask(`https://${gateway}:${port}/readyz`), 'refused');
    const service = await stead.field('svc/kubernetes', '.spec.clusterIP');
    assert.notEqual(await ask(`https://${service}/readyz`), 'ok');
  });

  it('reaches each Service by an address of a range, when there is one', async () => {
    await stead.must('down');
    await stead.up('--load-balancer-range', RANGE);
    await stead.apply(POD);
    await stead.apply(web('third', 'loadBalancerIP: 203.0.113.70'));
    await stead.kubectl('wait', '--for=condition=Ready', 'pod/web');
    const moved = await eventually(
      'it has another',
      () => addressOf('second'),
      (one) => one.startsWith('203.'),
    );
    await eventually(
      'it has what it asked for',
      () => addressOf('third'),
      (one) => one === '203.0.113.70',
    );
    for (const address of [moved, '203.0.113.70'])
      await eventually(
        'it answers',
        () => ask(`http://${address}:8443/`),
        (answer) => answer === 'hello',
      );
    const port = await apiPort();
    assert.equal(await ask(`https://${neighbour.machine}:${port}/readyz`), 'refused');
  });
});
