// Objects as rows of a table, which is what `kubectl get` prints (meta.k8s.io/v1 Table).
import { badRequest } from '../../api/errors.ts';
import type { KubeObject } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';

export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableOptions {
  includeObject: IncludeObject;
  /** Server time, for ages. */
  nowMs: number;
  /** Later tables of one watch leave the columns out. */
  withoutColumns?: boolean;
}

/** Reads the includeObject parameter. Throws BadRequest. */
export function includeObjectOf(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') || 'Metadata';
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value;
  throw badRequest(`unrecognized includeObject value: ${value}: use None, Metadata or Object`);
}

/** @param metadata of the table: that of the list, or the version of the one object. */
export function tableOf(
  resource: ResourceDefinition,
  objects: readonly KubeObject[],
  metadata: object,
  { includeObject, nowMs, withoutColumns }: TableOptions,
): object {
  const columns = resource.columns.map(({ name, type, format, description, priority }) => ({
    name,
    type,
    format: format ?? '',
    description,
    priority,
  }));
  const rows = objects.map((object) => ({
    cells: resource.columns.map((column) => column.cell(object, nowMs)),
    ...(includeObject === 'None'
      ? {}
      : { object: includeObject === 'Object' ? object : partialMetadata(object) }),
  }));
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: withoutColumns ? null : columns,
    rows,
  };
}

/** An object reduced to its metadata, which in protobuf has the same number in every kind. */
export function partialMetadata({ metadata }: KubeObject): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}
