// How deep a body is nested. Whatever walks an object walks it by recursion, and the YAML parser does before there is
// an object: deeper than any object is, it would take the stack, and the process with it.
import { badRequest } from '../../api/errors.ts';

const MAX_DEPTH = 1000;
/** The YAML parser needs many frames for a level. */
const MAX_YAML_DEPTH = 100;

function tooDeep(limit: number): Error {
  return badRequest(`the body of the request is nested too deeply: exceeded max depth of ${limit}`);
}

/** Throws BadRequest for a JSON value that is nested too deeply. @returns how many keys its maps have. */
export function requireShallow(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth >= MAX_DEPTH) throw tooDeep(MAX_DEPTH);
  const children = Object.values(value);
  let keys = Array.isArray(value) ? 0 : children.length;
  for (const child of children) keys += requireShallow(child, depth + 1);
  return keys;
}

/**
 * Throws BadRequest for a YAML text that is nested too deeply, as far as can be told without parsing it: by brackets
 * that are open, by indentation, and by the indicators (`- - -`) that a line begins with.
 */
export function requireShallowYaml(text: string): void {
  let open = 0;
  const levels: { indent: number; depth: number }[] = [];
  for (const line of text.split('\n')) {
    const [start = '', indicators = ''] = /^ *((?:[-?:][ \t]+|[-?:]$)*)/.exec(line) ?? [];
    if (start.length === line.length && indicators === '') continue;
    const indent = start.length - indicators.length;
    while ((levels.at(-1)?.indent ?? -1) >= indent) levels.pop();
    const depth = (levels.at(-1)?.depth ?? 0) + 1 + (indicators.match(/[-?:]/g) ?? []).length;
    levels.push({ indent, depth });
    for (let index = 0; index < line.length; index++) {
      const character = line[index];
      if (character === '[' || character === '{') open++;
      else if ((character === ']' || character === '}') && open > 0) open--;
      if (open > MAX_YAML_DEPTH) throw tooDeep(MAX_YAML_DEPTH);
    }
    if (depth > MAX_YAML_DEPTH) throw tooDeep(MAX_YAML_DEPTH);
  }
}
