// What changed between two parts of objects, for the message that refuses a change: upstream prints a diff of its Go
// types there; here each field that differs is named with what it was and what it would be.
import { isStruct } from '../../base/struct.ts';
import { semanticallyEqual } from './equality.ts';

/** A message is read by people: more lines than these help nobody. */
const MAX_FIELDS = 20;

type Change = readonly [path: string, before: unknown, after: unknown];

function collect(path: string, before: unknown, after: unknown, changes: Change[]): void {
  if (changes.length > MAX_FIELDS || semanticallyEqual(before, after)) return;
  if (isStruct(before) && isStruct(after)) {
    for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
      collect(path ? `${path}.${key}` : key, before[key], after[key], changes);
    }
  } else if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    for (const [index, item] of before.entries()) {
      collect(`${path}[${index}]`, item, after[index], changes);
    }
  } else changes.push([path, before, after]);
}

const line = (sign: string, path: string, value: unknown): string[] =>
  value === undefined ? [] : [`${sign} ${path}: ${JSON.stringify(value)}`];

/** Lines like `- nodeName: "a"` and `+ nodeName: "b"`, sorted by field. */
export function describeDifference(before: unknown, after: unknown): string {
  const changes: Change[] = [];
  collect('', before, after, changes);
  const lines = changes
    .slice(0, MAX_FIELDS)
    .flatMap(([path, was, is]) => [...line('-', path, was), ...line('+', path, is)]);
  if (changes.length > MAX_FIELDS) lines.push('  …');
  return lines.join('\n');
}
