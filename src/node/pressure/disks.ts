// How full the node's disks are. Read from the file systems, which is cheap; what pods use of them is usage.ts.
import { stat, statfs } from 'node:fs/promises';

/** One file system. */
export interface Disk {
  capacityBytes: number;
  /** What anybody may still take; more may be kept for root. */
  availableBytes: number;
  /** 0 where the file system has no fixed number of them. */
  inodes: number;
  inodesFree: number;
}

export interface Disks {
  /** Volumes, logs, the store. */
  node: Disk;
  /** Images and containers' own files, if they lie on another disk than the rest. */
  images?: Disk;
}

/** Reads the disks of the data directory and of containerd's content, which must both be there. */
export async function readDisks(dataDirectory: string, imageDirectory: string): Promise<Disks> {
  const [node, images, data, content] = await Promise.all([
    diskOf(dataDirectory),
    diskOf(imageDirectory),
    stat(dataDirectory),
    stat(imageDirectory),
  ]);
  return data.dev === content.dev ? { node } : { node, images };
}

async function diskOf(directory: string): Promise<Disk> {
  const { bavail, blocks, bsize, ffree, files } = await statfs(directory);
  return {
    capacityBytes: blocks * bsize,
    availableBytes: bavail * bsize,
    inodes: files,
    inodesFree: ffree,
  };
}
