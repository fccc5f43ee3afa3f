// Which objects of a resource a list or a watch is about: a namespace, a label selector, a field selector.

import { badRequest } from '../../api/errors.ts';
import type { KubeObject } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { parseFieldSelector, parseLabelSelector } from '../../api/selectors.ts';
import { own } from '../../base/own.ts';
import type { ApiRequest } from '../request.ts';

export interface Selection {
  namespace: string | undefined;
  /** Undefined: every object of the namespace. */
  matches: ((object: KubeObject) => boolean) | undefined;
}

/** Reads a request's namespace and selectors. Throws BadRequest for a selector that cannot be read. */
export function selectionOf(request: ApiRequest): Selection {
  const { resource, options } = request;
  const tests: ((object: KubeObject) => boolean)[] = [];
  if (request.name) {
    const { name } = request;
    tests.push((object) => object.metadata.name === name);
  }
  if (options.labelSelector) {
    const selector = parseLabelSelector(options.labelSelector);
    tests.push((object) => selector.matches(object.metadata.labels));
  }
  if (options.fieldSelector) tests.push(fieldTest(resource, options.fieldSelector));
  return {
    namespace: request.namespace,
    matches: tests.length === 0 ? undefined : (object) => tests.every((test) => test(object)),
  };
}

function fieldTest(resource: ResourceDefinition, text: string): (object: KubeObject) => boolean {
  const terms = parseFieldSelector(text).map(({ path: field, operator, value }) => {
    const read = fieldReader(resource, field);
    if (!read) throw badRequest(notSelectable(resource, field));
    return (object: KubeObject): boolean => (read(object) === value) === (operator === '=');
  });
  return (object) => terms.every((term) => term(object));
}

/** What upstream says of a field that objects cannot be selected by, of a kind with some that they can. */
export const unsupportedLabel = (field: string): string => `field label not supported: ${field}`;

/** The same, and for a kind without any. */
function notSelectable(resource: ResourceDefinition, field: string): string {
  if (resource.selectableFields) return unsupportedLabel(field);
  return `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
}

function fieldReader(
  resource: ResourceDefinition,
  field: string,
): ((object: KubeObject) => string) | undefined {
  if (field === 'metadata.name') return (object) => object.metadata.name ?? '';
  if (field === 'metadata.namespace' && resource.namespaced)
    return (object) => object.metadata.namespace ?? '';
  return own(resource.selectableFields, field);
}
