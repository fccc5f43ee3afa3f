// A pod network for tests, with pods as containerd makes them: namespaces, and the CNI plugins in turn. Needs root.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { PodNetwork, PodRange } from '../../api/between/pod-network.ts';
import { CommandError, type RunCommand } from '../../base/machine-command.ts';
import { removeBridge } from './bridge.ts';
import { cniConfig } from './config.ts';
import { readMachineNetwork } from './machine-network.ts';
import { choosePodNetwork } from './pod-network.ts';

/** As the node runs programs. */
export const run: RunCommand = (program, args, options = {}) => runWith({}, program, args, options.input);

/** Plugins also want variables in their environment. */
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
export const needsNetwork = ready ? {} : { skip: 'needs root, iptables and the CNI plugins' };

export interface PortMapping {
  hostPort: number;
  containerPort: number;
  protocol: 'tcp' | 'udp' | 'sctp';
  hostIP?: string;
}

/** A port of the machine that leads to port 80 of a pod. */
export const tcp = (hostPort: number): PortMapping => ({ hostPort, containerPort: 80, protocol: 'tcp' });

export interface Bench {
  network: PodNetwork;
  leaseDirectory: string;
  directory: string;
  /** What containerd does for a pod: a namespace, and each plugin in turn. Gives its addresses. */
  addPod(name: string, ...ports: PortMapping[]): Promise<string[]>;
  deletePod(name: string): Promise<void>;
  inPod(name: string, ...args: string[]): Promise<string>;
  /** Another machine on a network of this one, that sends to a range by way of it; gives what runs a program there. */
  addNeighbour(range: string): Promise<(...args: string[]) => Promise<string>>;
  /** Of the process in a pod's namespace. */
  pidOf(name: string): string;
  /** As when a machine loses a pod without its plugins being told. */
  endNamespace(name: string): Promise<void>;
}

/** @param ipv6 the pods' addresses of IPv6, if they are to have some. */
export async function bench(context: TestContext, ipv6?: PodRange): Promise<Bench> {
  const directory = await mkdtemp(join(tmpdir(), 'stead-cni-'));
  const found = await readMachineNetwork(run);
  // Far from the first choice, and with a name that a running stead does not take.
  const passedOver = ['10.244.0.0/14', '10.128.0.0/10'].map((cidr) => ({ cidr }));
  const chosen = choosePodNetwork({ ...found, ranges: [...found.ranges, ...passedOver] });
  const network = { ...chosen, bridge: `steadt${process.pid % 100_000}`, ...(ipv6 && { ipv6 }) };
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
    portMappings: readonly PortMapping[],
    prevResult?: object,
  ) => {
    const config = {
      ...list.plugins[index],
      cniVersion: list.cniVersion,
      name: list.name,
      ...(prevResult && { prevResult }),
      runtimeConfig: { portMappings },
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
    async addPod(name, ...ports) {
      await startNamespace(name);
      const result: { ips: Array<{ address: string }> } = JSON.parse(await plugin('ADD', name, 0, ports));
      await plugin('ADD', name, 1, ports, result);
      return result.ips.map(({ address }) => address.split('/')[0] ?? '');
    },
    async deletePod(name) {
      await plugin('DEL', name, 1, []);
      await plugin('DEL', name, 0, []);
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
    pidOf: (name) => String(namespaces.get(name)?.pid),
    endNamespace,
  };
}
