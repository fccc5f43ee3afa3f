import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { PodNetwork } from '../../api/between/pod-network.ts';
import { CommandError, type RunCommand } from '../../base/machine-command.ts';
import { hasPods, removeBridge, setUpBridge } from './bridge.ts';
import { cniConfig, writeCniConfig } from './config.ts';
import { readMachineNetwork } from './machine-network.ts';
import { choosePodNetwork } from './pod-network.ts';

const run: RunCommand = (program, args, options = {}) => runWith({}, program, args, options.input);

/** As the node runs programs; plugins also want variables in their environment. */
function runWith(
  env: NodeJS.ProcessEnv,
  program: string,
  args: readonly string[],
  input?: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) return resolve(stdout);
      const exitCode = code ?? undefined;
      reject(new CommandError(program, args, { exitCode, stderr: stderr || stdout, notInstalled: false }));
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

const PLUGINS = '/usr/lib/cni';
/** Of the range for documentation: nobody's. */
const REFUSED = '198.51.100.7/32';
const ready =
  process.getuid?.() === 0 &&
  (await Promise.all(['bridge', 'portmap', 'host-local'].map((name) => access(join(PLUGINS, name)))).then(
    () =>
      run('iptables', ['-w', '-S']).then(
        () => true,
        () => false,
      ),
    () => false,
  ));
const needsNetwork = ready ? {} : { skip: 'needs root, iptables and the CNI plugins' };

interface Bench {
  network: PodNetwork;
  leaseDirectory: string;
  directory: string;
  /** What containerd does for a pod: a namespace, and each plugin in turn. */
  addPod(name: string, hostPort: number): Promise<string>;
  deletePod(name: string): Promise<void>;
  inPod(name: string, ...args: string[]): Promise<string>;
  /** Another machine on a network of this one, that sends to a range by way of it; gives what runs a program there. */
  addNeighbour(range: string): Promise<(...args: string[]) => Promise<string>>;
  /** As when a machine loses a pod without its plugins being told. */
  endNamespace(name: string): Promise<void>;
}

async function bench(context: TestContext): Promise<Bench> {
  const directory = await mkdtemp(join(tmpdir(), 'stead-cni-'));
  const found = await readMachineNetwork(run);
  // Far from the first choice, and with a name that a running stead does not take.
  const passedOver = ['10.244.0.0/14', '10.128.0.0/10'].map((cidr) => ({ cidr }));
  const chosen = choosePodNetwork({ ...found, ranges: [...found.ranges, ...passedOver] });
  const network = { ...chosen, bridge: `steadt${process.pid % 100_000}` };
  const leaseDirectory = join(directory, 'leases');
  const namespaces = new Map<string, ChildProcess>();
  context.after(async () => {
    for (const name of namespaces.keys()) await endNamespace(name);
    await removeBridge(run, network);
    await rm(directory, { recursive: true, force: true });
  });
  /** A network namespace lives as long as the process in it. */
  const startNamespace = async (name: string): Promise<void> => {
    const child = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up && echo up && exec sleep 600']);
    namespaces.set(name, child);
    await once(child.stdout, 'data');
  };
  const endNamespace = async (name: string): Promise<void> => {
    const child = namespaces.get(name);
    namespaces.delete(name);
    if (!child) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  const list = JSON.parse(cniConfig(network, leaseDirectory));
  const plugin = async (
    command: string,
    name: string,
    index: number,
    hostPort: number,
    prevResult?: object,
  ) => {
    const config = {
      ...list.plugins[index],
      cniVersion: list.cniVersion,
      name: list.name,
      ...(prevResult && { prevResult }),
      runtimeConfig: { portMappings: hostPort ? [{ hostPort, containerPort: 80, protocol: 'tcp' }] : [] },
    };
    const env = {
      CNI_COMMAND: command,
      CNI_CONTAINERID: name,
      CNI_NETNS: `/proc/${namespaces.get(name)?.pid}/ns/net`,
      CNI_IFNAME: 'eth0',
      CNI_PATH: PLUGINS,
    };
    return runWith(env, join(PLUGINS, config.type), [], JSON.stringify(config));
  };
  return {
    network,
    leaseDirectory,
    directory,
    async addPod(name, hostPort) {
      await startNamespace(name);
      const result = JSON.parse(await plugin('ADD', name, 0, hostPort));
      await plugin('ADD', name, 1, hostPort, result);
      return String(result.ips[0].address).split('/')[0] ?? '';
    },
    async deletePod(name) {
      await plugin('DEL', name, 1, 0);
      await plugin('DEL', name, 0, 0);
      await endNamespace(name);
    },
    async addNeighbour(range) {
      const name = 'neighbour';
      await startNamespace(name);
      const pid = String(namespaces.get(name)?.pid);
      const there = (...args: string[]): Promise<string> => run('nsenter', ['-t', pid, '-n', ...args]);
      // It goes with the namespace that its other end is in.
      const link = `${network.bridge}n`;
      await run('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pid]);
      await run('ip', ['address', 'add', '203.0.113.1/24', 'dev', link]);
      await run('ip', ['link', 'set', link, 'up']);
      await there('ip', 'address', 'add', '203.0.113.2/24', 'dev', 'eth0');
      await there('ip', 'link', 'set', 'eth0', 'up');
      await there('ip', 'route', 'add', range, 'via', '203.0.113.1');
      return there;
    },
    inPod: (name, ...args) => run('nsenter', ['-t', String(namespaces.get(name)?.pid), '-n', ...args]),
    endNamespace,
  };
}

test(
  'pods reach the gateway and each other; afterwards no interface, rule or lease is left',
  needsNetwork,
  async (context) => {
    const { network, addPod, deletePod, inPod, endNamespace, leaseDirectory } = await bench(context);
    const options = { owner: 'stead /run/stead/test', refused: [{ cidr: REFUSED, onHost: true }] };
    await setUpBridge(run, network, options);
    await setUpBridge(run, network, options);
    const made = (await readMachineNetwork(run)).interfaces.find(({ name }) => name === network.bridge);
    assert.equal(made?.alias, options.owner);
    // A server binds to the gateway before there is any pod.
    const server = createServer((socket) => socket.end('hello\n'));
    await new Promise<void>((resolve) => server.listen(0, network.gateway, resolve));
    context.after(() => server.close());
    const address = server.address();
    assert.ok(address && typeof address === 'object');
    const [one, two] = [`${network.bridge}-1`, `${network.bridge}-2`];
    const first = await addPod(one, 0);
    const second = await addPod(two, 45_871);
    assert.notEqual(first, second);
    const read = `exec 3<>/dev/tcp/${network.gateway}/${address.port}; cat <&3`;
    assert.equal(await inPod(one, 'bash', '-c', read), 'hello\n');
    assert.match(await inPod(one, 'ip', 'route'), new RegExp(`default via ${network.gateway}`));
    // Nobody listens there: the other pod's kernel refuses, so it was reached.
    await assert.rejects(inPod(one, 'bash', '-c', `exec 3<>/dev/tcp/${second}/81`), /Connection refused/);
    // What nobody answers for never gets as far as the default route.
    const connect = `exec 3<>/dev/tcp/${REFUSED.split('/')[0]}/80`;
    await assert.rejects(inPod(one, 'bash', '-c', connect), /Connection refused/);
    await assert.rejects(run('bash', ['-c', connect]), /Connection refused/);
    assert.equal(await hasPods(run, network), true);
    await deletePod(one);
    // The second pod is not taken down in order.
    await endNamespace(two);
    await removeBridge(run, network);
    await removeBridge(run, network);
    // Another stead may run on this machine: only what is ours must be gone.
    const rules = (await run('iptables', ['-w', '-S'])) + (await run('iptables', ['-w', '-t', 'nat', '-S']));
    for (const trace of [network.bridge, network.cidr, first, second])
      assert.ok(!rules.includes(trace), rules);
    assert.ok(!(await readMachineNetwork(run)).interfaces.some(({ name }) => name === network.bridge));
    await rm(leaseDirectory, { recursive: true });
  },
);

test(
  'a neighbour of the machine does not reach what listens on the gateway; pods and the machine do',
  needsNetwork,
  async (context) => {
    const { network, addNeighbour, addPod, inPod } = await bench(context);
    await setUpBridge(run, network, { owner: 'stead /run/stead/test' });
    const server = createServer((socket) => socket.end('hello\n'));
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
    context.after(() => server.close());
    const address = server.address();
    assert.ok(address && typeof address === 'object');
    const read = (host: string) => `exec 3<>/dev/tcp/${host}/${address.port}; cat <&3`;
    const neighbour = await addNeighbour(network.cidr);
    await addPod('one', 0);
    assert.equal(await inPod('one', 'bash', '-c', read(network.gateway)), 'hello\n');
    assert.equal(await run('bash', ['-c', read(network.gateway)]), 'hello\n');
    // It is a neighbour: what listens everywhere it reaches.
    assert.equal(await neighbour('bash', '-c', read('203.0.113.1')), 'hello\n');
    await assert.rejects(neighbour('bash', '-c', read(network.gateway)), /Connection refused/);
  },
);

test(
  'the bridge keeps its hardware address whatever comes and goes: pods need not find it anew',
  needsNetwork,
  async (context) => {
    const { network, addPod, deletePod } = await bench(context);
    const options = { owner: 'stead /run/stead/test' };
    const address = async (): Promise<string> =>
      (await readFile(`/sys/class/net/${network.bridge}/address`, 'utf8')).trim();
    await setUpBridge(run, network, options);
    const first = await address();
    // A port with an address lower than any other's: the one that a bridge without its own would take.
    const port = `${network.bridge}p`;
    const peer = ['peer', 'name', `${port}q`];
    await run('ip', ['link', 'add', port, 'address', '02:00:00:00:00:01', 'type', 'veth', ...peer]);
    context.after(() => run('ip', ['link', 'delete', port]).catch(() => {}));
    await run('ip', ['link', 'set', port, 'master', network.bridge, 'up']);
    await addPod('one', 0);
    assert.equal(await address(), first);
    await setUpBridge(run, network, options);
    await run('ip', ['link', 'delete', port]);
    await deletePod('one');
    assert.equal(await address(), first);
  },
);

test('the configuration file is the only one in its directory', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'stead-cni-'));
  context.after(() => rm(directory, { recursive: true }));
  const network = { bridge: 'stead0', cidr: '10.244.0.0/20', gateway: '10.244.0.1' };
  const places = { confDirectory: join(directory, 'net.d'), leaseDirectory: '/leases' };
  await writeCniConfig(network, places);
  await writeCniConfig(network, places);
  assert.equal(
    await readFile(join(directory, 'net.d', 'stead.conflist'), 'utf8'),
    cniConfig(network, '/leases'),
  );
});
