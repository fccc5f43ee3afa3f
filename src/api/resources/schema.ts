// The schema of a set of kinds: the types that they share, and those that each brings along.
import type { ResourceDefinition } from '../resource.ts';
import { Schema, type TypeSource } from '../schema/schema.ts';
import { persistentVolumeClaimTypes } from './persistent-volume-claims/types.ts';
import { containerTypes } from './shared/types/containers.ts';
import { metaTypes } from './shared/types/meta.ts';
import { placementTypes } from './shared/types/placement.ts';
import { podSpecTypes } from './shared/types/pod-spec.ts';
import { rbacTypes } from './shared/types/rbac.ts';
import { referenceTypes } from './shared/types/references.ts';
import { scaleTypes } from './shared/types/scale.ts';
import { securityTypes } from './shared/types/security.ts';
import { volumeTypes } from './shared/types/volumes.ts';

const SHARED: readonly TypeSource[] = [
  // Of claims there are templates.
  persistentVolumeClaimTypes,
  metaTypes,
  scaleTypes,
  referenceTypes,
  rbacTypes,
  placementTypes,
  containerTypes,
  securityTypes,
  volumeTypes,
  podSpecTypes,
];

/** A new schema of these kinds. Throws when two of them have a type of one name. */
export function schemaOf(resources: Iterable<Pick<ResourceDefinition, 'types'>>): Schema {
  return new Schema([...SHARED, ...[...resources].flatMap(({ types }) => types)]);
}

let base: Schema | undefined;

/** What is said in the same words whatever is served: Status, ListMeta. */
export function baseSchema(): Schema {
  base ??= new Schema([metaTypes]);
  return base;
}
