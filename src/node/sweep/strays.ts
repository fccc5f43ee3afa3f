// Finds what on this machine is nobody's any more: cgroups, addresses, network namespaces, files and logs of pods, uses of
// volumes. Only looks; when what is found may go is sweeper.ts's business.
import { readdir, readFile, readlink, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunCommand } from '../../base/machine-command.ts';
import { podCgroups, removeCgroup } from '../cri/cgroups.ts';
import { mountAt, readMounts, removeUnmounted } from '../machine/mounts.ts';
import { TRIAL_PREFIX } from '../volumes/local/backing.ts';
import type { LocalVolumes } from '../volumes/local/local-volumes.ts';
import type { Owners, Stray } from './stray.ts';

const namesIn = (directory: string): Promise<string[]> => readdir(directory).catch((): string[] => []);

/** Cgroups of pods without a sandbox. */
export async function strayCgroups(root: string, { sandboxPods }: Owners): Promise<Stray[]> {
  const found = await podCgroups(root);
  return found
    .filter(({ podUid }) => !sandboxPods.has(podUid))
    .map(({ path }) => ({ what: `cgroup ${path}`, remove: () => removeCgroup(path) }));
}

/**
 * Addresses that are handed out to sandboxes that are not there.
 * @param directory of host-local: a file for each address, which begins with the sandbox's ID.
 */
export async function strayLeases(directory: string, { sandboxIds }: Owners): Promise<Stray[]> {
  const strays: Stray[] = [];
  for (const name of await namesIn(directory)) {
    if (!/^[\d.]+$/.test(name)) continue;
    const file = join(directory, name);
    const id = (await readFile(file, 'utf8').catch(() => '')).split(/\s/)[0] ?? '';
    if (sandboxIds.has(id)) continue;
    strays.push({ what: `address ${name} of ${id}`, remove: () => rm(file, { force: true }) });
  }
  return strays;
}

/**
 * What libcni noted of sandboxes that are not there.
 * @param network the name of the network, with which the files begin.
 */
export async function strayResults(
  directory: string,
  network: string,
  { sandboxIds }: Owners,
): Promise<Stray[]> {
  return (await namesIn(directory)).flatMap((name) => {
    const id = name.startsWith(`${network}-`) ? name.slice(network.length + 1).split('-')[0] : undefined;
    if (id === undefined || sandboxIds.has(id)) return [];
    return { what: `CNI result ${name}`, remove: () => rm(join(directory, name), { force: true }) };
  });
}

/** Network namespaces, and with each its interface, in which no process is. */
export async function strayNamespaces(
  directory: string,
  run: RunCommand,
  { allRun }: Owners,
): Promise<Stray[]> {
  const names = await namesIn(directory);
  // A sandbox whose process has ended still has its namespace, until it is taken down in order.
  if (names.length === 0 || !allRun) return [];
  const used = await namespacesInUse();
  const strays: Stray[] = [];
  for (const name of names) {
    const file = join(directory, name);
    const inode = (await stat(file).catch(() => undefined))?.ino;
    if (inode === undefined || used.has(inode)) continue;
    const remove = async (): Promise<void> => {
      await run('umount', [file]).catch(() => {});
      await rm(file, { force: true });
    };
    strays.push({ what: `network namespace ${file}`, remove });
  }
  return strays;
}

async function namespacesInUse(): Promise<Set<number>> {
  const used = new Set<number>();
  for (const pid of await namesIn('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const link = await readlink(`/proc/${pid}/ns/net`).catch(() => '');
    used.add(Number(/\[(\d+)\]/.exec(link)?.[1]));
  }
  return used;
}

/**
 * Directories of pods that nobody knows.
 * @param uidOf reads a pod's UID from a directory's name; undefined for what is none of a pod.
 */
export async function strayDirectories(
  directory: string,
  uidOf: (name: string) => string | undefined,
  run: RunCommand,
  { pods }: Owners,
): Promise<Stray[]> {
  // Mounts below it are known by where they really are.
  const real = await realpath(directory).catch(() => directory);
  return (await namesIn(real)).flatMap((name) => {
    const uid = uidOf(name);
    if (uid === undefined || pods.has(uid)) return [];
    const path = join(real, name);
    return { what: `directory ${path}`, remove: () => removeUnmounted(run, path) };
  });
}

/** Trial volumes that were not taken down again. */
export async function strayTrials(volumesDirectory: string, run: RunCommand): Promise<Stray[]> {
  const names = (await namesIn(volumesDirectory)).filter((name) => name.startsWith(TRIAL_PREFIX));
  return names.map((name) => {
    const path = join(volumesDirectory, name);
    return { what: `trial volume ${path}`, remove: () => removeUnmounted(run, path) };
  });
}

/** Nobody's UID. */
const NOBODY = 'nobody';

/** Volumes that are in use by pods that nobody knows, or mounted and in use by none. */
export async function strayUses(volumes: LocalVolumes, { pods }: Owners): Promise<Stray[]> {
  const strays: Stray[] = [];
  for (const name of await namesIn(volumes.volumesDirectory)) {
    if (name.startsWith('.')) continue;
    const directory = join(volumes.volumesDirectory, name);
    const volume = { name, directory, sizeBytes: 0, mountOptions: [] };
    const users = await volumes.users(volume);
    const mounted = mountAt(await readMounts(), join(directory, 'mount')) !== undefined;
    const unknown = users.length === 0 && mounted ? [NOBODY] : users.filter((uid) => !pods.has(uid));
    strays.push(
      ...unknown.map((uid) => ({
        what: `use of volume ${name} by ${uid}`,
        remove: () => volumes.release(volume, uid),
      })),
    );
  }
  return strays;
}
