// Gives a volume to a pod's fsGroup: everything in it belongs to the group, which may read and write it, and what
// is made later inherits the group (kubelet's pkg/volume/volume_linux.go).
import { chmod, lchown, lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../api/generated/types.ts';

const GROUP_READ_WRITE = 0o660;
const GROUP_ENTER = 0o110;
const SET_GROUP_ID = 0o2000;

/** What the pod says about the ownership of its volumes. */
export interface FsGroup {
  gid: number;
  /** `OnRootMismatch`: a volume whose root is right is believed to be right. */
  onlyOnMismatch: boolean;
}

export function fsGroupOf(pod: Pod): FsGroup | undefined {
  const gid = pod.spec?.securityContext?.fsGroup;
  if (gid === undefined) return undefined;
  return { gid, onlyOnMismatch: pod.spec?.securityContext?.fsGroupChangePolicy === 'OnRootMismatch' };
}

/** Idempotent; the root directory is changed last, so that it tells whether the rest is done. */
export async function giveToGroup(root: string, group: FsGroup): Promise<void> {
  if (group.onlyOnMismatch && (await isGiven(root, group.gid))) return;
  await give(root, group.gid);
}

async function isGiven(root: string, gid: number): Promise<boolean> {
  const { gid: current, mode } = await lstat(root);
  const wanted = GROUP_READ_WRITE | GROUP_ENTER | SET_GROUP_ID;
  return current === gid && (mode & wanted) === wanted;
}

async function give(path: string, gid: number): Promise<void> {
  const found = await lstat(path);
  if (found.isDirectory()) {
    for await (const entry of await opendir(path)) await give(join(path, entry.name), gid);
  }
  if (found.gid !== gid) await lchown(path, found.uid, gid);
  if (found.isSymbolicLink()) return;
  const mask = found.isDirectory() ? GROUP_READ_WRITE | GROUP_ENTER | SET_GROUP_ID : GROUP_READ_WRITE;
  const mode = found.mode & 0o7777;
  if ((mode | mask) !== mode || found.gid !== gid) await chmod(path, mode | mask);
}
