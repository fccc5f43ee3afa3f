// From a request's body to an object of the resource: the right kind, decoded by the schema, defaulted.
import { badRequest } from '../../api/errors.ts';
import type { KubeObject } from '../../api/objects.ts';
import { apiVersionOf, type ResourceDefinition } from '../../api/resource.ts';
import { decode } from '../../api/schema/decode.ts';
import { applyDefaults } from '../../api/schema/defaults.ts';
import type { RepeatedKeys } from '../../api/schema/repeated-keys.ts';
import type { StructType } from '../../api/schema/schema.ts';
import { isStruct } from '../../base/struct.ts';
import { requireFewParts } from '../object-size.ts';
import type { Registry } from '../registry.ts';
import type { ApiRequest } from '../request.ts';

export interface Decoded {
  object: KubeObject;
  warnings: string[];
}

/**
 * Decodes a whole object. Throws BadRequest for another kind, or for what fieldValidation refuses, and
 * RequestEntityTooLarge for one of too many parts.
 * @param type of the resource's objects.
 * @param repeated what the object's text has more than once.
 */
export function decodeObject(
  resource: ResourceDefinition,
  type: StructType,
  value: unknown,
  fieldValidation: ApiRequest['options']['fieldValidation'],
  repeated?: RepeatedKeys,
): Decoded {
  if (!isStruct(value)) {
    throw badRequest(
      `the body is not a ${resource.kind} object: send ${apiVersionOf(resource)} JSON or YAML`,
    );
  }
  const { apiVersion, kind } = value;
  const expected = apiVersionOf(resource);
  if (apiVersion !== undefined && apiVersion !== '' && apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${String(apiVersion)}) does not match the expected API version (${expected})`,
    );
  }
  if (kind !== undefined && kind !== '' && kind !== resource.kind) {
    throw badRequest(
      `${String(kind)} in version "${resource.version}" cannot be handled as a ${resource.kind}: no kind "${String(kind)}" is served at ${resource.plural}`,
    );
  }
  // What was sent; and then, what defaults make of that.
  requireFewParts(resource, value);
  const { object: decoded, warnings } = decode(type, value, fieldValidation ?? 'Warn', repeated);
  // The schema of the resource has just vouched for the shape.
  const typed = decoded as KubeObject;
  const object: KubeObject = {
    ...typed,
    apiVersion: expected,
    kind: resource.kind,
    metadata: { ...typed.metadata },
  };
  applyDefaults(type, object);
  requireFewParts(resource, object);
  return { object, warnings };
}

/** The object in the body of a request, of the kind that the request is for. Throws as `decodeObject` does. */
export function decodeBody(registry: Registry, request: ApiRequest): Decoded {
  const { body, options, repeatedKeys, resource } = request;
  return decodeObject(resource, registry.typeOf(resource), body, options.fieldValidation, repeatedKeys);
}
