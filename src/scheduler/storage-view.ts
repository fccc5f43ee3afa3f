// Storage as the scheduler sees it: the informers of claims, volumes and classes, with the indexes that keep a
// decision from reading every volume.

import {
  claimRefKeys,
  classNameOf,
  UNCLAIMED_VOLUMES_BY_CLASS,
  unclaimedClassKeys,
  VOLUMES_BY_CLAIM,
} from '../api/between/volume-binding.ts';
import type { PersistentVolume } from '../api/generated/types.ts';
import { keyOf } from '../api/objects.ts';
import { persistentVolumeClaims } from '../api/resources/persistent-volume-claims/definition.ts';
import { persistentVolumes } from '../api/resources/persistent-volumes/definition.ts';
import { storageClasses } from '../api/resources/storage-classes/definition.ts';
import type { Informers } from '../client/informers.ts';
import type { StorageView } from './volumes.ts';

/** Adds its indexes; call it before the informers run. */
export function storageView(informers: Informers): StorageView {
  const claims = informers.of(persistentVolumeClaims);
  const volumes = informers.of<PersistentVolume>(persistentVolumes);
  const classes = informers.of(storageClasses);
  volumes.addIndex(VOLUMES_BY_CLAIM, claimRefKeys);
  volumes.addIndex(UNCLAIMED_VOLUMES_BY_CLASS, unclaimedClassKeys);
  return {
    claim: (namespace, name) => claims.get(namespace, name),
    volume: (name) => volumes.get(undefined, name),
    storageClass: (name) => classes.get(undefined, name),
    candidates: (claim) => [
      ...volumes.byIndex(VOLUMES_BY_CLAIM, keyOf(claim)),
      ...volumes.byIndex(UNCLAIMED_VOLUMES_BY_CLASS, classNameOf(claim)),
    ],
  };
}
