// Where the bytes of one volume lie, and how they are told apart from anything else.
//
//   <volumes>/<name>/image.xfs | image.ext4 | data/     the bytes
//   <volumes>/<name>/mount/                             where the image is mounted
//   <volumes>/<name>/size                               the claim's size that is usable now, in bytes
//   <volumes>/<name>/users/<pod uid>                    a pod that uses it: an empty file
import { access } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LOCAL_PROVISIONER } from '../../../api/between/local-volumes.ts';
import { PROVISIONED_BY } from '../../../api/between/volume-binding.ts';
import type { PersistentVolume } from '../../../api/generated/types.ts';
import { quantityToNumber } from '../../../api/quantity.ts';
import { VolumeNotReadyError } from '../volumes.ts';
import type { BackingKind } from './backing.ts';

/** What is needed of a PersistentVolume to make its bytes. */
export interface LocalVolume {
  name: string;
  /** The volume's directory. */
  directory: string;
  sizeBytes: number;
  mountOptions: string[];
}

/**
 * Reads a PersistentVolume as one of ours.
 * @returns undefined if its bytes are somebody else's.
 * @throws VolumeNotReadyError if it names a directory outside `volumesDirectory`: nothing there is ours to touch.
 */
export function localVolumeOf(volume: PersistentVolume, volumesDirectory: string): LocalVolume | undefined {
  const path = volume.spec?.local?.path;
  if (path === undefined || volume.metadata.annotations?.[PROVISIONED_BY] !== LOCAL_PROVISIONER)
    return undefined;
  const name = volume.metadata.name ?? '';
  if (dirname(path) !== volumesDirectory || !/^[^./][^/]*$/.test(basename(path))) {
    throw new VolumeNotReadyError(
      'FailedMount',
      `PersistentVolume "${name}": spec.local.path ${JSON.stringify(path)} is not a directory of ${volumesDirectory}, where this node keeps the volumes of ${LOCAL_PROVISIONER}`,
    );
  }
  return {
    name,
    directory: path,
    sizeBytes: quantityToNumber(volume.spec?.capacity?.storage ?? '0'),
    mountOptions: volume.spec?.mountOptions ?? [],
  };
}

export const imageFile = (volume: LocalVolume, fs: 'xfs' | 'ext4'): string =>
  join(volume.directory, `image.${fs}`);
export const dataDirectoryOf = (volume: LocalVolume): string => join(volume.directory, 'data');
export const mountDirectory = (volume: LocalVolume): string => join(volume.directory, 'mount');
export const sizeFile = (volume: LocalVolume): string => join(volume.directory, 'size');
export const usersDirectory = (volume: LocalVolume): string => join(volume.directory, 'users');

/** What the bytes of a volume are; undefined if they have not been made. */
export async function existingBacking(volume: LocalVolume): Promise<BackingKind | undefined> {
  const there = (path: string): Promise<boolean> =>
    access(path).then(
      () => true,
      () => false,
    );
  if (await there(imageFile(volume, 'xfs'))) return 'xfs-image';
  if (await there(imageFile(volume, 'ext4'))) return 'ext4-image';
  return (await there(dataDirectoryOf(volume))) ? 'directory' : undefined;
}
