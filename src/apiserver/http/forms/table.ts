// Objects as rows of a table, which is what `kubectl get` prints (meta.k8s.io/v1 Table).
import { badRequest } from '../../../api/errors.ts';
import type { KubeObject } from '../../../api/objects.ts';
import type { ResourceDefinition } from '../../../api/resource.ts';

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
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/** The table that stands for a bookmark: its row shows nothing, and carries the bookmark's metadata. */
export function bookmarkTable(
  resource: ResourceDefinition,
  bookmark: KubeObject,
  { includeObject, withoutColumns }: TableOptions,
): object {
  const { resourceVersion, annotations } = bookmark.metadata;
  // How the initial events end is told even to those who want no objects.
  const object = includeObject === 'None' && !annotations ? null : partialMetadata(bookmark);
  const cells = resource.columns.map(({ type }) => (type === 'integer' ? 0 : ''));
  return table(resource, { resourceVersion }, withoutColumns, [{ cells, object }]);
}

/** What of a resource makes its table. */
export type Tabular = Pick<ResourceDefinition, 'columns' | 'rowConditions'>;

/** @param metadata of the table: that of the list, or the version of the one object. */
export function tableOf(
  resource: Tabular,
  objects: readonly KubeObject[],
  metadata: object,
  { includeObject, nowMs, withoutColumns }: TableOptions,
): object {
  const rows = objects.map((object) => {
    const cells = resource.columns.map((column) => column.cell(object, nowMs));
    const conditions = resource.rowConditions?.(object) ?? [];
    return {
      cells,
      ...(conditions.length > 0 ? { conditions } : {}),
      object: included(object, includeObject),
    };
  });
  return table(resource, metadata, withoutColumns, rows);
}

function included(object: KubeObject, includeObject: IncludeObject): KubeObject | null {
  if (includeObject === 'None') return null;
  return includeObject === 'Object' ? object : partialMetadata(object);
}

function table(
  resource: Tabular,
  metadata: object,
  withoutColumns: boolean | undefined,
  rows: readonly object[],
): object {
  const columnDefinitions = withoutColumns
    ? null
    : resource.columns.map(({ name, type, format, description, priority }) => ({
        name,
        type,
        format: format ?? '',
        description,
        priority,
      }));
  return { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions, rows };
}

/** An object reduced to its metadata, which in protobuf has the same number in every kind. */
export function partialMetadata({ metadata }: KubeObject): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}
