// When two parts of objects mean the same (upstream's equality.Semantic): a field that is not set, an empty list and
// an empty map are all nothing.
import { isStruct } from '../../base/struct.ts';

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** Whether two values of the API mean the same. */
export function semanticallyEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isNothing(a) && isNothing(b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => semanticallyEqual(item, b[index]));
  }
  if (isStruct(a) && isStruct(b)) {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) =>
      semanticallyEqual(a[key], b[key]),
    );
  }
  return false;
}

/** The names of the fields in which two objects differ, sorted: what an error says about a refused change. */
export function differingFields(a: object, b: object): string[] {
  const left = new Map(Object.entries(a));
  const right = new Map(Object.entries(b));
  return [...new Set([...left.keys(), ...right.keys()])]
    .filter((key) => !semanticallyEqual(left.get(key), right.get(key)))
    .sort();
}
