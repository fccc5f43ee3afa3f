// Keys that stand twice in one map of a body: parsing keeps the last, so they are looked for in the text, and only
// when counting says that there are any. What is reported of them, and how, is decode.ts's business. Follows
// sigs.k8s.io/json's and sigs.k8s.io/yaml's strict decoding.
import type { Document, LineCounter } from 'yaml';
import { yaml } from '../../base/yaml.ts';

/** What a body repeats, in upstream's terms: JSON tells the fields' paths, YAML what stands in which line. */
export type RepeatedKeys =
  | { format: 'json'; paths: ReadonlySet<string> }
  | { format: 'yaml'; lines: readonly string[] };

/** As many as upstream reports. */
const MAX_REPORTS = 100;

/** As many as are remembered of one body: some may be below unknown fields, and are not reported. */
const MAX_PATHS = 1000;

/** Their paths together, in characters: one that is long would be written down for each. */
const MAX_PATH_CHARACTERS = 64 * 1024;

const QUOTE_CODE = 0x22;
/** Of the characters up to this one, JSON has only white space between its values. */
const SPACE_CODE = 0x20;
const COMMA_CODE = 0x2c;
const CLOSE_LIST_CODE = 0x5d;
const CLOSE_MAP_CODE = 0x7d;

/** The index of the quote that ends the string which begins at `open`. */
function endOfString(text: string, open: number): number {
  for (let close = text.indexOf('"', open + 1); close >= 0; close = text.indexOf('"', close + 1)) {
    let backslash = close - 1;
    while (text[backslash] === '\\') backslash--;
    if ((close - backslash) % 2 === 1) return close;
  }
  return text.length;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= SPACE_CODE) at++;
  return at;
}

/**
 * How many keys the maps of a JSON text have at most: repeated ones are counted, and what looks like a key in a string.
 * Whoever finds fewer in the parsed value has a closer look; it takes a fraction of the time of parsing.
 * @param text valid JSON.
 */
export function keysInJson(text: string): number {
  let keys = 0;
  for (let colon = text.indexOf(':'); colon >= 0; colon = text.indexOf(':', colon + 1)) {
    let before = colon - 1;
    while (text.charCodeAt(before) <= SPACE_CODE) before--;
    if (text.charCodeAt(before) === QUOTE_CODE) keys++;
  }
  return keys;
}

/** The paths (`spec.containers[0].name`) of the keys that stand more than once in their map. @param text valid JSON. */
export function repeatedJsonKeys(text: string): RepeatedKeys {
  const scan = new KeyScan(text);
  scan.value();
  return { format: 'json', paths: scan.paths };
}

function endsScalar(code: number): boolean {
  return code <= SPACE_CODE || code === COMMA_CODE || code === CLOSE_LIST_CODE || code === CLOSE_MAP_CODE;
}

/** One pass over a JSON text. Paths are put together only for what is reported: they may be long. */
class KeyScan {
  readonly paths = new Set<string>();
  readonly #text: string;
  readonly #path: string[] = [];
  #at = 0;
  #characters = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): void {
    this.#skipSpace();
    const first = this.#text[this.#at];
    if (first === '"') this.#at = endOfString(this.#text, this.#at) + 1;
    else if (first === '{') this.#map();
    else if (first === '[') this.#list();
    else while (this.#at < this.#text.length && !endsScalar(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #map(): void {
    /** Whether a key that was seen has been reported. */
    const seen = new Map<string, boolean>();
    for (this.#at++; this.#hasNext('}'); ) {
      const close = endOfString(this.#text, this.#at);
      const name = String(JSON.parse(this.#text.slice(this.#at, close + 1)));
      this.#path.push(this.#path.length === 0 ? name : `.${name}`);
      const reported = seen.get(name);
      if (reported === false) this.#report();
      seen.set(name, reported !== undefined);
      this.#at = skipSpace(this.#text, close + 1) + 1;
      this.value();
      this.#path.pop();
    }
    this.#at++;
  }

  #report(): void {
    if (this.paths.size >= MAX_PATHS || this.#characters > MAX_PATH_CHARACTERS) return;
    const path = this.#path.join('');
    this.paths.add(path);
    this.#characters += path.length;
  }

  #list(): void {
    this.#at++;
    for (let index = 0; this.#hasNext(']'); index++) {
      this.#path.push(`[${index}]`);
      this.value();
      this.#path.pop();
    }
    this.#at++;
  }

  /** Goes to the next entry; false at the end. */
  #hasNext(end: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] === ',') this.#at++;
    this.#skipSpace();
    return this.#at < this.#text.length && this.#text[this.#at] !== end;
  }

  #skipSpace(): void {
    this.#at = skipSpace(this.#text, this.#at);
  }
}

/**
 * The keys that stand more than once in their map, as YAML's decoder says it; undefined when there are none.
 * @param lineCounter what counted the lines when the document was parsed.
 */
export function repeatedYamlKeys(document: Document, lineCounter: LineCounter): RepeatedKeys | undefined {
  const { isNode, isScalar, visit } = yaml();
  const lines: string[] = [];
  visit(document, {
    Map(_key, map) {
      const seen = new Set<unknown>();
      for (const { key, value } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value) && lines.length < MAX_REPORTS) {
          const offset = (isNode(value) ? value.range?.[0] : undefined) ?? key.range?.[0] ?? 0;
          lines.push(
            `line ${lineCounter.linePos(offset).line}: key ${JSON.stringify(key.value)} already set in map`,
          );
        }
        seen.add(key.value);
      }
    },
  });
  return lines.length > 0 ? { format: 'yaml', lines } : undefined;
}

/** How upstream's YAML library names its findings when they are one error. */
export function yamlErrorOf(lines: readonly string[]): string {
  return `yaml: unmarshal errors:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
