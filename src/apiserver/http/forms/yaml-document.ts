// Reads one YAML document as JSON text, and writes one. Nothing here can be trusted to be quick: the parser takes some microseconds and
// a kilobyte for every line, so all but short texts are read in a thread of their own (yaml-thread.ts).
import { badRequest, requestEntityTooLarge, StatusError } from '../../../api/errors.ts';
import { type RepeatedKeys, repeatedYamlKeys } from '../../../api/schema/repeated-keys.ts';
import { errorText } from '../../../base/error-text.ts';
import { yaml } from '../../../base/yaml.ts';
import { BODY_LIMIT, MAX_VALUES, tooDeep, tooManyValues } from './body-limits.ts';

/** The parser needs many frames for a level. */
const MAX_DEPTH = 100;
/** As a document may use its anchors. */
const MAX_ALIASES = 100;
/** What the lexer says before a scalar that has no quotes. */
const SCALAR = '\x1f';
/** A line of a map has eight: its indentation, key, colon, value, what is between, and what the lexer says of them. */
const MAX_TOKENS = 10 * MAX_VALUES;
/** Of directives, tags, anchors and aliases together: objects have none, and the parser may complain of each. */
const MAX_MARKS = 1000;
const MARKS = new Set('%!&*');

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
  requireFewTokens(text);
  try {
    const { LineCounter, parseDocument } = yaml();
    const lines = new LineCounter();
    // Looking for keys that are there twice takes the parser time that grows with the square of their number.
    // And so does showing each error in its line.
    const document = parseDocument(text, {
      uniqueKeys: false,
      logLevel: 'error',
      lineCounter: lines,
      prettyErrors: false,
    });
    const [wrong] = document.errors;
    if (wrong) {
      const { line, col } = lines.linePos(wrong.pos[0]);
      throw new Error(`${wrong.message} at line ${line}, column ${col}`);
    }
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    requireBounded(value);
    const json = JSON.stringify(value ?? null);
    return { json, repeated: wantsRepeated ? repeatedYamlKeys(document, lines) : undefined };
  } catch (error) {
    if (error instanceof StatusError) throw error;
    throw badRequest(`the body of the request is not YAML: ${errorText(error)}`);
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
  for (const line of linesOf(text)) {
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

/** One by one: a text may have a million of them. */
function* linesOf(text: string): Generator<string> {
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
    yield text.slice(start, end);
    start = end + 1;
  }
  yield text.slice(start);
}

/** Throws for more than an object takes to write, before the parser makes something of each part. */
function requireFewTokens(text: string): void {
  let tokens = 0;
  let scalars = 0;
  let brackets = 0;
  let marks = 0;
  let before = '';
  for (const token of new (yaml().Lexer)().lex(text)) {
    const first = token[0] ?? '';
    tokens++;
    if (token === SCALAR || first === '"' || first === "'") scalars++;
    else if (token === '[' || token === '{') brackets++;
    // The text of a scalar may begin with anything.
    else if (before !== SCALAR && MARKS.has(first)) marks++;
    before = token;
    if (scalars > 2 * MAX_VALUES || brackets > MAX_VALUES || tokens > MAX_TOKENS || marks > MAX_MARKS) {
      throw tooManyValues();
    }
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
