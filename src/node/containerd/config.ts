// containerd's configuration, as text. Everything that containerd would otherwise share with the machine's own
// containers (root, state, sockets, /opt/containerd, network namespaces) is given a place of stead's own.
//
// Written in version 2 of the format, which containerd 1.6 and 1.7 read as it is and 2.x translates: there
// `sandbox_image` becomes the images plugin's pinned sandbox, and `bin_dir` a list.
import { join } from 'node:path';

export interface ContainerdConfig {
  /** Lasting content: images, snapshots, metadata. */
  rootDirectory: string;
  /** What belongs to running containers; gone after a reboot. */
  stateDirectory: string;
  socket: string;
  sandboxImage: string;
  runcPath: string;
  cniBinDirectory: string;
  cniConfDirectory: string;
  /** The user's mirrors and registry settings: one directory a registry, with a hosts.toml. */
  registryDirectory: string;
  /** Whether containers may be given a lower oom_score_adj than containerd's own (CAP_SYS_RESOURCE). */
  mayLowerOomScore: boolean;
}

/** Parts of containerd that stead has no use for: they only cost start-up time or leave things behind. */
const DISABLED_PLUGINS = [
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.tracing.processor.v1.otlp',
  'io.containerd.internal.v1.tracing',
];

/** TOML's basic strings escape as JSON's do. */
const quote = (text: string): string => JSON.stringify(text);

/** The file's whole text; equal inputs give equal text, so that a change can be seen by comparing. */
export function containerdConfig(config: ContainerdConfig): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `# Written by stead at every start: changes here are lost. Registry mirrors belong below
# ${config.registryDirectory}.
version = 2
root = ${quote(config.rootDirectory)}
state = ${quote(config.stateDirectory)}
disabled_plugins = [${DISABLED_PLUGINS.map(quote).join(', ')}]

[grpc]
  address = ${quote(config.socket)}

[debug]
  level = "warn"

[plugins."io.containerd.internal.v1.opt"]
  path = ${quote(join(config.rootDirectory, 'opt'))}

[plugins."io.containerd.nri.v1.nri"]
  disable = true

[${cri}]
  sandbox_image = ${quote(config.sandboxImage)}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  netns_mounts_under_state_dir = true
  restrict_oom_score_adj = ${!config.mayLowerOomScore}

[${cri}.containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"

[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[${cri}.containerd.runtimes.runc.options]
  BinaryName = ${quote(config.runcPath)}
  Root = ${quote(join(config.stateDirectory, 'runc'))}
  SystemdCgroup = false

[${cri}.cni]
  bin_dir = ${quote(config.cniBinDirectory)}
  conf_dir = ${quote(config.cniConfDirectory)}
  max_conf_num = 1

[${cri}.registry]
  config_path = ${quote(config.registryDirectory)}
`;
}

const CAP_SYS_RESOURCE = 24n;

/** Reads from /proc/self/status whether this process may lower oom_score_adj. */
export function mayLowerOomScore(procStatus: string): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(procStatus)?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;
}
