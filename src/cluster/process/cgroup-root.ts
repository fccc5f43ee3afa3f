// The cgroup that everything of one stead runs in. Several steads share a machine's cgroups: each has its own.
import { basename } from 'node:path';
import type { Paths } from '../disk/paths.ts';

/** Holds those of all steads of the machine. */
export const CGROUP_OF_ALL = '/stead';

/** `/stead/default`, below the root of the cgroup file system. */
export function cgroupRootOf(paths: Paths): string {
  return `${CGROUP_OF_ALL}/${basename(paths.run)}`;
}
