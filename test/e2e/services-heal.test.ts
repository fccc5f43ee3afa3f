// What carries Services comes back when somebody takes it away: the table, the chains of the pod network, host ports, what
// the kernel is told to forward; and when what keeps it is killed at a bad moment.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { run } from '../kit/run.ts';
import { eventually, noContainers, TestStead } from '../kit/stead.ts';

const HOST_PORT = 18_481;
const BRIDGED = '/proc/sys/net/bridge/bridge-nf-call-iptables';

const MANIFEST = `
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: Pod
metadata: { name: web, labels: { app: web } }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: c
      image: stead.dev/toolbox:1
      command: [sh, -c, "echo hello > /tmp/index.html; exec busybox httpd -f -p 8080 -h /tmp"]
      ports: [{ containerPort: 8080, hostPort: ${HOST_PORT} }]
`;

/** What an HTTP server says to the machine, or why it says nothing. */
function ask(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let text = '';
    socket.setTimeout(500, () => socket.destroy(new Error('nothing came')));
    socket.on('data', (data) => {
      text += data;
    });
    socket.on('end', () => resolve(text.split('\r\n\r\n')[1]?.trim() ?? ''));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.write('GET / HTTP/1.0\r\n\r\n');
  });
}

describe('what carries Services', { skip: noContainers }, () => {
  let stead: TestStead;
  let address = '';
  let machine = '';
  let table = '';
  let bridge = '';

  /** What the packet filter has of this stead, in order, but for the table. */
  const ownRules = async (): Promise<string[]> => {
    const { stdout } = await run('iptables-save', []);
    return stdout.split('\n').filter((line) => line.includes(`-${bridge}`) && !line.startsWith('#'));
  };
  const carries = async (): Promise<void> => {
    for (const [host, port] of [
      [address, 80],
      [machine, HOST_PORT],
    ] as const)
      await eventually(
        `${host}:${port} answers`,
        () => ask(host, port),
        (answer) => answer === 'hello',
      );
  };
  const must = async (program: string, ...args: string[]): Promise<void> => {
    const { code, stderr } = await run(program, args);
    assert.equal(code, 0, `${program} ${args.join(' ')}: ${stderr}`);
  };

  before(async () => {
    stead = await TestStead.start('toolbox');
    await stead.apply(MANIFEST);
    await stead.kubectl('wait', '--for=condition=Ready', 'pod/web');
    address = await stead.field('service/web', '.spec.clusterIP');
    machine = await stead.field('node', '.items[0].status.addresses[0].address');
    table = /table (stead\d*)/.exec(await stead.must('status'))?.[1] ?? '';
    bridge = table === 'stead' ? 'stead0' : table;
    await carries();
  });
  after(() => stead?.purge());

  it('comes back when the table is deleted, and when it is emptied', async () => {
    for (const verb of ['delete', 'flush']) {
      await must('nft', verb, 'table', 'inet', table);
      await carries();
    }
  });

  it('comes back when a firewall manager has emptied the tables of iptables', async () => {
    const before = await ownRules();
    assert.ok(before.some((line) => line.includes('dnat name:')));
    // Only what is this stead's own: others may be at home on the machine.
    const jumps = before.filter((line) => /^-A (?!STEAD-)/.test(line));
    for (const kind of ['filter', 'nat']) {
      const isNat = (line: string): boolean => /-j (STEAD-NAT|CNI)-/.test(line);
      const lines = jumps.filter((line) => isNat(line) === (kind === 'nat'));
      const input = `*${kind}\n${lines.map((line) => line.replace('-A', '-D')).join('\n')}\nCOMMIT\n`;
      const { code, stderr } = await run('iptables-restore', ['-w', '--noflush'], { input });
      assert.equal(code, 0, stderr);
    }
    await eventually(
      'its rules are there again',
      ownRules,
      (now) => before.toSorted().join('\n') === now.toSorted().join('\n'),
    );
    await carries();
  });

  it('comes back when the kernel is told to keep traffic between pods from the packet filter', async () => {
    await must('sysctl', '-q', '-w', 'net.bridge.bridge-nf-call-iptables=0');
    await eventually(
      'it is shown again',
      async () => readFileSync(BRIDGED, 'utf8').trim(),
      (value) => value === '1',
    );
  });

  it('comes back when the node is killed while it writes all of it', async () => {
    for (let count = 0; count < 3; count++) {
      const { nodePid } = stead;
      await must('nft', 'delete', 'table', 'inet', table);
      process.kill(nodePid, 'SIGKILL');
      await carries();
      await eventually(
        'there is a node again',
        async () => stead.nodePid,
        (pid) => pid !== 0 && pid !== nodePid,
      );
    }
  });

  it('comes back when the programs that write and watch it are killed', async () => {
    await must('pkill', '-KILL', '-P', `${stead.nodePid}`, '-x', 'nft');
    await must('nft', 'delete', 'table', 'inet', table);
    await carries();
  });

  it('follows what has changed while the API was gone', async () => {
    await stead.kubectl('patch', 'service/web', '-p', '{"spec":{"selector":{"app":"none"}}}');
    process.kill(stead.pid, 'SIGKILL');
    await stead.up();
    await eventually(
      'it is refused',
      () => ask(address, 80),
      (answer) => answer === 'ECONNREFUSED',
    );
    await stead.kubectl('patch', 'service/web', '-p', '{"spec":{"selector":{"app":"web"}}}');
    await carries();
  });

  it('is the same after stead has been down', async () => {
    await stead.must('down');
    await stead.up();
    await stead.apply(MANIFEST);
    await stead.kubectl('wait', '--for=condition=Ready', 'pod/web');
    assert.equal(await stead.field('service/web', '.spec.clusterIP'), address);
    await carries();
  });
});
