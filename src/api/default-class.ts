// The default StorageClass: which class is marked as it, and which counts if several are. Follows
// GetDefaultClass in pkg/volume/util/storageclass.go.
import type { StorageClass } from './generated/types.ts';
import type { Stored } from './objects.ts';

/** The annotation that marks the default class, with the value `true`. */
export const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
const BETA_DEFAULT_CLASS = 'storageclass.beta.kubernetes.io/is-default-class';

/** Whether the class is marked as the default one. */
export function isDefaultClass({ metadata: { annotations } }: StorageClass): boolean {
  return annotations?.[DEFAULT_CLASS] === 'true' || annotations?.[BETA_DEFAULT_CLASS] === 'true';
}

/** The class that claims without one get: of several the newest, of those of one time the first by name. */
export function defaultClassOf(classes: readonly Stored<StorageClass>[]): Stored<StorageClass> | undefined {
  return classes.filter(isDefaultClass).sort(newestFirst)[0];
}

function newestFirst({ metadata: a }: Stored, { metadata: b }: Stored): number {
  if (a.creationTimestamp !== b.creationTimestamp) return a.creationTimestamp < b.creationTimestamp ? 1 : -1;
  return a.name < b.name ? -1 : 1;
}
