// Other DNS servers on loopback with the names of the same cluster: dnsmasq and unbound told of them, CoreDNS following the
// same API. Each in a directory of its own, as the distribution or its module has it, on ports of their own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const COREDNS_SOURCES = join(import.meta.dirname, '..', '..', '..', 'bench', 'dns', 'coredns');
const BUILT = join(import.meta.dirname, '..', '..', '..', 'node_modules', '.cache', 'stead', 'bin');
const PATIENCE_MS = 30_000;

export interface NamedAddress {
  name: string;
  address: string;
}

export interface Peer {
  name: string;
  port: number;
  end(): void;
}

/** Those that this machine has; why the others are missing is said on standard error. */
export async function startPeers(
  directory: string,
  names: readonly NamedAddress[],
  kubeconfig: string,
): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const start of [dnsmasq, unbound, coredns]) {
    const peer = start(directory, names, kubeconfig);
    if (typeof peer === 'string') {
      process.stderr.write(`${peer}\n`);
      continue;
    }
    await answers(peer, names);
    peers.push(peer);
  }
  return peers;
}

function dnsmasq(directory: string, names: readonly NamedAddress[]): Peer | string {
  if (!has('dnsmasq')) return 'dnsmasq is missing (Debian’s dnsmasq-base)';
  const port = 5391;
  const config = join(directory, 'dnsmasq.conf');
  const fixed = `port=${port}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\nlocal-ttl=5\n`;
  const records = names.map(({ address, name }) => `host-record=${name},${address}\n`);
  writeFileSync(config, fixed + records.join(''));
  return peerOf(
    'dnsmasq',
    port,
    spawn('dnsmasq', ['--keep-in-foreground', `--conf-file=${config}`, '--user=root']),
  );
}

function unbound(directory: string, names: readonly NamedAddress[]): Peer | string {
  if (!has('unbound')) return 'unbound is missing (Debian’s unbound)';
  const port = 5392;
  const config = join(directory, 'unbound.conf');
  const records = names.map(({ address, name }) => `  local-data: "${name}. 5 IN A ${address}"\n`);
  writeFileSync(
    config,
    `server:
  interface: 127.0.0.1
  port: ${port}
  username: ""
  chroot: ""
  directory: "${directory}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  num-threads: 2
  so-reuseport: yes
  module-config: "iterator"
  local-zone: "cluster.local." static
${records.join('')}remote-control:
  control-enable: no
`,
  );
  return peerOf('unbound', port, spawn('unbound', ['-d', '-c', config]));
}

function coredns(directory: string, _: readonly NamedAddress[], kubeconfig: string): Peer | string {
  const program = join(BUILT, 'bench-coredns');
  if (!existsSync(program)) {
    if (!has('go')) return 'CoreDNS is missing: there is no Go to build it with';
    process.stderr.write('building CoreDNS with Go: minutes the first time\n');
    mkdirSync(BUILT, { recursive: true });
    const { status, stderr } = spawnSync('go', ['build', '-o', program, '.'], {
      cwd: COREDNS_SOURCES,
      encoding: 'utf8',
    });
    if (status !== 0) return `CoreDNS cannot be built: ${stderr}`;
  }
  const port = 5393;
  const config = join(directory, 'Corefile');
  writeFileSync(
    config,
    `cluster.local:${port} in-addr.arpa:${port} {
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${kubeconfig}
    pods insecure
  }
}
`,
  );
  return peerOf('CoreDNS', port, spawn(program, ['-quiet', '-conf', config]));
}

const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

function peerOf(name: string, port: number, child: ChildProcess): Peer {
  child.on('error', () => {});
  return { name, port, end: () => void child.kill('SIGKILL') };
}

/** Resolves when it knows the last of the names. */
async function answers({ name: who, port }: Peer, names: readonly NamedAddress[]): Promise<void> {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await resolver.resolve4(names.at(-1)?.name ?? '').catch(() => []);
    if (found.length > 0) return;
    if (performance.now() > giveUpAtMs) throw new Error(`${who} does not answer`);
    await new Promise((again) => setTimeout(again, 50));
  }
}
