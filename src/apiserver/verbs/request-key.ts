// The object that a request is about.
import { badRequest } from '../../api/errors.ts';
import type { ObjectKey } from '../../api/objects.ts';
import type { ApiRequest } from '../request.ts';

/** Throws BadRequest when the request names no object, or no namespace where there must be one. */
export function keyOfRequest({ resource, namespace, name }: ApiRequest): ObjectKey {
  if (!name) throw badRequest(`a name must be provided to act on one of ${resource.plural}`);
  if (!resource.namespaced) return { name };
  if (!namespace) throw badRequest(`an empty namespace may not be set when a resource name is provided`);
  return { namespace, name };
}
