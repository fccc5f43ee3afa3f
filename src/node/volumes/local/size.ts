// How large the file behind a volume must be for the claim's size to be usable: a file system keeps a part of its
// device for itself. The formulas were fitted to what `statfs` says of freshly made file systems of 16 MiB to 1 TiB;
// what is still missing after mounting is added then.

const MIB = 1024 * 1024;

/** Below this, mkfs.xfs must be told that it is meant, and makes a log of 5 MiB in place of 64 MiB. */
const XFS_SMALL_BELOW = 300 * MIB;
/** The smallest file system that mkfs.xfs makes. */
const XFS_MINIMUM = 17 * MIB;

/** Bytes of an XFS image that leaves `claimBytes` to be used. */
export function xfsImageBytes(claimBytes: number): number {
  // Every allocation group keeps blocks back for its own indexes: some 6 % while groups are small, then a fixed
  // amount and 0.75 %.
  const small = Math.max(XFS_MINIMUM, (claimBytes + 7 * MIB) / (1 - 0.0575));
  if (small < XFS_SMALL_BELOW) return wholeMib(small);
  const medium = (claimBytes + 66 * MIB) / (1 - 0.0575);
  const large = (claimBytes + 98 * MIB) / (1 - 0.0076);
  return wholeMib(Math.max(XFS_SMALL_BELOW, Math.min(medium, large)));
}

/** Bytes of an ext4 image that leaves about `claimBytes`: inodes take 1.6 %, the journal up to 1 GiB. */
export function ext4ImageBytes(claimBytes: number): number {
  const journal = Math.min(Math.max(claimBytes / 32, 8 * MIB), 1024 * MIB);
  return wholeMib((claimBytes + journal + 8 * MIB) / (1 - 0.02));
}

function wholeMib(bytes: number): number {
  return Math.ceil(bytes / MIB) * MIB;
}
