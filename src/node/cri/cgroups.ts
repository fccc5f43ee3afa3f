// Removes cgroup directories that containerd leaves behind: those of a pod, and in the end all of stead's. Works on
// every mounted hierarchy, of version 1 and 2.
import { readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Where cgroup file systems are mounted, read from the text of /proc/self/mountinfo. */
export function cgroupMounts(mountinfo: string): string[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const type = after.split(' ')[0];
    const path = before.split(' ')[4];
    return path && (type === 'cgroup' || type === 'cgroup2') ? [path] : [];
  });
}

/** Removes a cgroup and those below it, wherever it exists. Leaves what still has processes. */
export async function removeCgroup(path: string): Promise<void> {
  const mounts = cgroupMounts(await readFile('/proc/self/mountinfo', 'utf8'));
  await Promise.all(mounts.map((mount) => removeTree(join(mount, path))));
}

/** The pods that have a cgroup below a root, by UID. */
export async function podCgroups(root: string): Promise<Array<{ path: string; podUid: string }>> {
  const mounts = cgroupMounts(await readFile('/proc/self/mountinfo', 'utf8'));
  const found = new Map<string, string>();
  for (const mount of mounts) {
    for (const qos of await readdir(join(mount, root)).catch(() => [])) {
      for (const name of await readdir(join(mount, root, qos)).catch(() => [])) {
        if (name.startsWith('pod')) found.set(join(root, qos, name), name.slice('pod'.length));
      }
    }
  }
  return [...found].map(([path, podUid]) => ({ path, podUid }));
}

/** Removes a cgroup that nothing is below of any more, wherever it exists. */
export async function removeEmptyCgroup(path: string): Promise<void> {
  const mounts = cgroupMounts(await readFile('/proc/self/mountinfo', 'utf8'));
  for (const mount of mounts) await rmdir(join(mount, path)).catch(() => {});
}

async function removeTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (entry.isDirectory()) await removeTree(join(directory, entry.name));
  }
  await rmdir(directory).catch(() => {});
}
