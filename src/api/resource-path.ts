// Where an object, or all of a resource, is found: the path of its URL.
import type { ResourceDefinition } from './resource.ts';

/** `/apis/apps/v1/namespaces/default/statefulsets/web/status` */
export function pathOf(
  resource: Pick<ResourceDefinition, 'group' | 'version' | 'plural' | 'namespaced'>,
  key: { namespace?: string | undefined; name?: string | undefined },
  subresource?: string,
): string {
  const root = resource.group ? `/apis/${resource.group}/${resource.version}` : `/api/${resource.version}`;
  const parts = [root];
  if (resource.namespaced && key.namespace) parts.push('namespaces', encodeURIComponent(key.namespace));
  parts.push(resource.plural);
  if (key.name) parts.push(encodeURIComponent(key.name));
  if (subresource) parts.push(subresource);
  return parts.join('/');
}
