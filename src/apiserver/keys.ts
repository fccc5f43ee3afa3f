// Where objects live in the store: `/registry/<group or core>/<plural>/[<namespace>/]<name>`. What is kept there is
// codec.ts's business.
import type { ObjectKey } from '../api/objects.ts';
import type { ResourceDefinition } from '../api/resource.ts';

/** Everything that the API server keeps. */
export const REGISTRY_PREFIX = '/registry/';

/** The part of a resource's keys that all its objects share; ends in a slash. */
export function prefixOf(resource: ResourceDefinition): string {
  return `${REGISTRY_PREFIX}${resource.group || 'core'}/${resource.plural}/`;
}

/** The store key of one object. */
export function storeKey(resource: ResourceDefinition, key: ObjectKey): string {
  return prefixOf(resource) + relativeKey(resource, key);
}

/** The key of an object below its resource's prefix: how lists are ordered and paged. */
export function relativeKey(resource: ResourceDefinition, { namespace, name }: ObjectKey): string {
  return resource.namespaced ? `${namespace ?? ''}/${name}` : name;
}

/** The resource prefix that a store key begins with. */
export function prefixOfKey(key: string): string {
  const plural = key.indexOf('/', REGISTRY_PREFIX.length) + 1;
  return key.slice(0, key.indexOf('/', plural) + 1);
}
