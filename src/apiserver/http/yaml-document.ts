// Reads one YAML document as JSON text, and writes one. Nothing here can be trusted to be quick: the parser takes some microseconds and
// a kilobyte for every line, so all but short texts are read in a thread of their own (yaml-thread.ts).
import { badRequest, requestEntityTooLarge, StatusError } from '../../api/errors.ts';
import { type RepeatedKeys, repeatedYamlKeys } from '../../api/schema/repeated-keys.ts';
import { yaml } from '../../api/yaml.ts';
import { BODY_LIMIT, MAX_VALUES, tooDeep, tooManyValues } from './body-limits.ts';

/** The parser needs many frames for a level. */
const MAX_DEPTH = 100;
/** As a document may use its anchors. */
const MAX_ALIASES = 100;
/** What the lexer says before a scalar. */
const SCALAR = '\x1f';

export interface YamlDocument {
  json: string;
  /** What stands there more than once, if it was asked. */
  repeated?: RepeatedKeys | undefined;
}

/**
 * Reads a document. Throws BadRequest for a text that is none or is nested too deeply, RequestEntityTooLarge for one
 * that stands for more than a body may hold.
 */
export function readYaml(text: string, wantsRepeated: boolean): YamlDocument {
  requireShallowYaml(text);
  requireFewScalars(text);
  try {
    const { LineCounter, parseDocument } = yaml();
    const lines = new LineCounter();
    // Looking for keys that are there twice takes the parser time that grows with the square of their number.
    const document = parseDocument(text, { uniqueKeys: false, logLevel: 'error', lineCounter: lines });
    const [wrong] = document.errors;
    if (wrong) throw wrong;
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    requireBounded(value);
    const json = JSON.stringify(value ?? null);
    return { json, repeated: wantsRepeated ? repeatedYamlKeys(document, lines) : undefined };
  } catch (error) {
    if (error instanceof StatusError) throw error;
    throw badRequest(
      `the body of the request is not YAML: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Writes a JSON text as a document. */
export function writeYaml(json: string): string {
  return yaml().stringify(JSON.parse(json));
}

/**
 * Throws BadRequest for a text that is nested too deeply, as far as can be told without parsing it: by brackets that
 * are open, by indentation, and by the indicators (`- - -`) that a line begins with.
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
      if (open > MAX_DEPTH) throw tooDeep(MAX_DEPTH);
    }
    if (depth > MAX_DEPTH) throw tooDeep(MAX_DEPTH);
  }
}

/** Throws for more keys and values than a body may have, before the parser makes something of each. */
function requireFewScalars(text: string): void {
  let scalars = 0;
  let brackets = 0;
  for (const token of new (yaml().Lexer)().lex(text)) {
    if (token === SCALAR) scalars++;
    else if (token === '[' || token === '{') brackets++;
    if (scalars > 2 * MAX_VALUES || brackets > MAX_VALUES) throw tooManyValues();
  }
}

/** Throws when the value, with all that its aliases stand for, is more than a body may be. */
function requireBounded(value: unknown): void {
  let values = 0;
  let characters = 0;
  const walk = (part: unknown): void => {
    if (++values > MAX_VALUES) throw tooManyValues();
    if (typeof part === 'string') characters += part.length;
    if (typeof part === 'number' && !Number.isFinite(part)) {
      throw badRequest(`error converting YAML to JSON: json: unsupported value: ${part}`);
    }
    if (typeof part === 'object' && part !== null) {
      for (const [key, child] of Object.entries(part)) {
        characters += key.length;
        walk(child);
      }
    }
    if (characters > BODY_LIMIT) {
      throw requestEntityTooLarge(`Request entity too large: limit is ${BODY_LIMIT}`);
    }
  };
  walk(value);
}
