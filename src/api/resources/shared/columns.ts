// The cells that many resources share in `kubectl get`: name, age, labels, access modes, containers. What one
// resource prints on its own stands in that resource's file. Follows pkg/printers/internalversion/printers.go.

import type { Container } from '../../generated/types.ts';
import { ageOf } from '../../human-duration.ts';
import type { KubeObject } from '../../objects.ts';
import type { Column } from '../../resource.ts';

type Cell = string | number | boolean | null;

const NAME =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically.';
const CREATED =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is represented in RFC3339 form and is in UTC.';

/** A column that is always shown. */
export function column<T extends KubeObject>(
  name: string,
  description: string,
  cell: (object: T, nowMs: number) => Cell,
  type: Column<T>['type'] = 'string',
): Column<T> {
  return { name, type, description, priority: 0, cell };
}

/** A column that only `-o wide` shows. */
export function wideColumn<T extends KubeObject>(
  name: string,
  description: string,
  cell: (object: T, nowMs: number) => Cell,
  type: Column<T>['type'] = 'string',
): Column<T> {
  return { ...column(name, description, cell, type), priority: 1 };
}

/** NAME. `suffix` follows the name, as ` (default)` for a storage class. */
export function nameColumn<T extends KubeObject>(suffix?: (object: T) => string): Column<T> {
  return {
    name: 'Name',
    type: 'string',
    format: 'name',
    description: NAME,
    priority: 0,
    cell: (object) => `${object.metadata.name ?? ''}${suffix?.(object) ?? ''}`,
  };
}

/** AGE: how long ago the object was made. */
export function ageColumn<T extends KubeObject>(): Column<T> {
  return column('Age', CREATED, (object, nowMs) => ageOf(object.metadata.creationTimestamp, nowMs));
}

/** CREATED AT: what kinds without a printer of their own show (apiserver's default table convertor). */
export function createdAtColumn<T extends KubeObject>(): Column<T> {
  return column('Created At', CREATED, (object) => object.metadata.creationTimestamp ?? '<unknown>', 'date');
}

/** `a=1,b=2`, sorted; `<none>` when there are none (labels.FormatLabels). */
export function formatLabels(labels: Record<string, string> | undefined): string {
  const pairs = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.length === 0 ? '<none>' : pairs.map(([key, value]) => `${key}=${value}`).join(',');
}

const MODES: readonly (readonly [string, string])[] = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
];

/** `RWO,ROX`, in that order whatever order the object has (helper.GetAccessModesAsString). */
export function formatAccessModes(modes: readonly string[] | undefined): string {
  return MODES.filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',');
}

/** The names of a template's containers, comma-separated. */
export function containerNames(containers: readonly Container[] | undefined): string {
  return (containers ?? []).map((container) => container.name).join(',');
}

/** The images of a template's containers, comma-separated. */
export function containerImages(containers: readonly Container[] | undefined): string {
  return (containers ?? []).map((container) => container.image ?? '').join(',');
}

/** At most three entries, then how many more: `a,b,c + 2 more...`. */
export function formatList(entries: readonly string[]): string {
  const shown = entries.slice(0, 3).join(',');
  return entries.length > 3 ? `${shown} + ${entries.length - 3} more...` : shown;
}
