// Gives a volume to a pod's fsGroup: everything in it belongs to the group, which may read and write it, and what
// is made later inherits the group (kubelet's pkg/volume/volume_linux.go). Other pods may write into the volume
// meanwhile: nothing outside it is ever changed.
import type { Stats } from 'node:fs';
import { chmod, chown, type FileHandle, opendir } from 'node:fs/promises';
import type { Pod } from '../../api/generated/types.ts';
import { lookAtEntry, MAX_DEPTH, openDirectory, openEntry, pathOf } from '../machine/open-inside.ts';
import { VolumeNotReadyError } from './volumes.ts';

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

/**
 * Idempotent; the root directory is changed last, so that it tells whether the rest is done.
 * @param signal gives it up, however many files there are.
 * @throws VolumeNotReadyError if directories are nested too deeply, or if it was given up.
 */
export async function giveToGroup(root: string, group: FsGroup, signal?: AbortSignal): Promise<void> {
  const directory = await openDirectory(root);
  try {
    const found = await directory.stat();
    if (group.onlyOnMismatch && isGiven(found, group.gid)) return;
    await giveEntries(directory, group.gid, 1, signal);
    await give(directory, found, group.gid);
  } finally {
    await directory.close();
  }
}

async function giveEntries(
  directory: FileHandle,
  gid: number,
  depth: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (depth > MAX_DEPTH) {
    throw new VolumeNotReadyError(
      'FailedMount',
      `its directories are nested more than ${MAX_DEPTH} deep, too deep to be given to fsGroup ${gid}`,
    );
  }
  for await (const { name } of await opendir(pathOf(directory))) {
    if (signal?.aborted) {
      throw new VolumeNotReadyError(
        'FailedMount',
        `giving it to fsGroup ${gid} was given up: the pod is to end`,
      );
    }
    const seen = await lookAtEntry(directory, name);
    if (seen === undefined || (!seen.isDirectory() && isGiven(seen, gid))) continue;
    const entry = await openEntry(directory, name);
    if (entry === undefined) continue;
    try {
      const found = await entry.stat();
      if (found.isDirectory()) await giveEntries(entry, gid, depth + 1, signal);
      await give(entry, found, gid);
    } finally {
      await entry.close();
    }
  }
}

const wantedOf = (found: Stats): number =>
  found.isSymbolicLink()
    ? 0
    : found.isDirectory()
      ? GROUP_READ_WRITE | GROUP_ENTER | SET_GROUP_ID
      : GROUP_READ_WRITE;

function isGiven(found: Stats, gid: number): boolean {
  const wanted = wantedOf(found);
  return found.gid === gid && (found.mode & wanted) === wanted;
}

/** By the open file itself, a link too: its name may mean something else by now. */
async function give(handle: FileHandle, found: Stats, gid: number): Promise<void> {
  if (isGiven(found, gid)) return;
  if (found.gid !== gid) await chown(pathOf(handle), found.uid, gid);
  // After the owner: a change of owner takes set-user-ID and set-group-ID away.
  if (!found.isSymbolicLink()) await chmod(pathOf(handle), (found.mode & 0o7777) | wantedOf(found));
}
