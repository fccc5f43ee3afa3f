// What pods leave on a machine, looked for in the kernel and in containerd, not in stead's own books: when the last pod
// is gone there must be nothing of any of them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathsOf } from '../../src/cluster/disk/paths.ts';
import { cgroupRootOf } from '../../src/cluster/process/cgroup-root.ts';
import { run } from '../kit/run.ts';

/**
 * Everything of pods that a running stead without pods and claims has on this machine.
 * @param uids of pods that have run.
 */
export async function leaks(dataDirectory: string, uids: ReadonlySet<string>): Promise<string[]> {
  const paths = pathsOf(dataDirectory);
  const bridge: string = JSON.parse(readFileSync(paths.network, 'utf8')).bridge;
  const socket = join(paths.run, 'containerd', 'containerd.sock');
  const [interfaces, containers, snapshots, shims] = await Promise.all([
    lines('ip', '-oneline', 'link', 'show', 'master', bridge),
    lines('ctr', '--address', socket, '--namespace', 'k8s.io', 'containers', 'list', '--quiet'),
    lines('ctr', '--address', socket, '--namespace', 'k8s.io', 'snapshots', 'list'),
    lines('pgrep', '--full', '--list-full', `containerd-shim.*${socket}`),
  ]);
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return [
    ...interfaces.map((line) => `interface ${line}`),
    ...containers.map((id) => `container ${id}`),
    ...snapshots.filter((line) => / Active\s*$/.test(line)).map((line) => `snapshot ${line}`),
    ...shims.map((line) => `process ${line}`),
    ...mounts.filter((line) => isOfPods(line, dataDirectory)).map((line) => `mount ${line}`),
    ...loopDevices(paths.volumes),
    ...podCgroups(cgroupRootOf(paths)).filter((path) => uids.has(/pod([^/]+)$/.exec(path)?.[1] ?? '')),
    ...['pod-volumes', 'pod-files', 'logs', 'volumes'].flatMap((name) => entries(join(dataDirectory, name))),
    ...entries(join(dataDirectory, 'cni', 'leases'), true).filter((path) => /\/[\d.]+$/.test(path)),
  ];
}

/** What containerd and stead itself have mounted stays as long as they run. */
function isOfPods(mount: string, dataDirectory: string): boolean {
  return ['pod-volumes', 'pod-files', 'volumes'].some((name) => mount.includes(`${dataDirectory}/${name}/`));
}

function loopDevices(directory: string): string[] {
  return readdirSync('/sys/block').flatMap((device) => {
    const file = join('/sys/block', device, 'loop', 'backing_file');
    const backing = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
    return backing.startsWith(`${directory}/`) ? [`loop device ${device} of ${backing}`] : [];
  });
}

/** `/sys/fs/cgroup/memory/stead/default/burstable/pod<uid>`, in every hierarchy. */
function podCgroups(cgroupRoot: string): string[] {
  const roots = ['/sys/fs/cgroup', ...entries('/sys/fs/cgroup')].map((path) => join(path, cgroupRoot));
  return roots.flatMap((root) => entries(root).flatMap((qos) => entries(qos)));
}

function entries(directory: string, recursive = false): string[] {
  try {
    return readdirSync(directory, { encoding: 'utf8', recursive }).map((name) => join(directory, name));
  } catch {
    return [];
  }
}

async function lines(command: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await run(command, args);
  return stdout.split('\n').filter((line) => line.trim() !== '');
}
