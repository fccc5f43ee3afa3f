// Every regular expression of the product is linear in what it is given, or what it is given is bounded: there is one
// thread, and whoever stops it stops everything. They are found in what was built, and those that are put together at
// run time by watching them being made.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { type AnyNode, parse } from 'acorn';
import { isSafePattern } from 'redos-detector';

const SOURCE = join(import.meta.dirname, '..', '..', 'src');
/** What does not go into the package. */
const NOT_SHIPPED = /\.test\.js$|(?:^|\/)test-|^testing\/(?!cluster\.js$)/;

/** A regular expression may go back so many times before it gives up; one that is not linear does so without bound. */
const MAX_BACKTRACKS = 200;
const CHECK_MS = 10_000;

/** What the checker takes for endless though it goes back over its input once, or whose input is never long. */
const CLEARED: Readonly<Record<string, string>> = {
  '^([+-]?)(\\d*)(?:\\.(\\d*))?((?:[eEinumkKMGTP]+[-+]?|[-+])\\d*)?$': 'a quantity of at most 256 characters',
  '(\\d*)(?:\\.(\\d*))?(h|ms|m|s|us|µs|ns)':
    'sticky: it goes back over the digits of one term, and ends there',
  '-(\\d+)$': 'the name of a pod, at most 253 characters',
  ':([^/:]+)$': 'between two colons nothing is read twice',
  '^[\\d.]+$|:': 'names that an administrator gives',
  '-----[^-]+-----|\\s': 'a certificate that stead has made',
  '^(\\d{4}-\\d\\d-\\d\\dT[\\d:]{8})(?:\\.(\\d{1,9}))?(.*)$': 'the optional part is left out once',
  '^(?:https?:)?\\/\\/([^/?#]*)([\\s\\S]*)$': 'the two parts have no character in common where they meet',
  '(\\s)([^\\s=/>]+)(\\s*=\\s*)("[^"]*"|\'[^\']*\'|[^\\s"\'>]+)': 'one tag of a page, at most 64 KiB',
  '=\\s*$': 'eight characters',
  '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$':
    'a sysctl of at most 253 characters',
  '"(?:[^"\\\\]|\\\\.)*"|\\S+': 'one rule as iptables prints it',
  ", \\w+ '.*$": 'a message of Node about one path',
  '\\[(\\d+)\\]': 'a line that the kernel writes',
  '^(?:[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?[./])*(?:\\*|[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?\\*?|[a-z0-9][-_a-z0-9]*\\*)$':
    'a pattern of sysctls that an administrator gives',
};

interface Found {
  pattern: string;
  flags: string;
  file: string;
}

/** Every node of a syntax tree. */
function* nodesOf(value: unknown): Generator<AnyNode> {
  if (typeof value !== 'object' || value === null) return;
  if ('type' in value && typeof value.type === 'string') yield value as AnyNode;
  for (const child of Object.values(value)) yield* nodesOf(child);
}

function read(file: string): { literals: Found[]; makesOthers: boolean } {
  const tree = parse(readFileSync(join(SOURCE, file), 'utf8'), {
    ecmaVersion: 'latest',
    sourceType: 'module',
    allowHashBang: true,
  });
  const literals: Found[] = [];
  let makesOthers = false;
  for (const node of nodesOf(tree)) {
    if (node.type === 'Literal' && node.regex) literals.push({ ...node.regex, file });
    const called = node.type === 'NewExpression' || node.type === 'CallExpression' ? node.callee : undefined;
    if (called?.type === 'Identifier' && called.name === 'RegExp') makesOthers = true;
  }
  return { literals, makesOthers };
}

/** What the modules make of texts while they are loaded. */
async function madeBy(files: readonly string[]): Promise<Found[]> {
  const found: Found[] = [];
  const original = globalThis.RegExp;
  let file = '';
  globalThis.RegExp = new Proxy(original, {
    construct(target, args, newTarget) {
      const made: RegExp = Reflect.construct(target, args, newTarget);
      found.push({ pattern: made.source, flags: made.flags, file });
      return made;
    },
  });
  try {
    for (file of files) await import(join(SOURCE, file));
  } finally {
    globalThis.RegExp = original;
  }
  return found;
}

describe('regular expressions', () => {
  const found: Found[] = [];

  before(async () => {
    const files = readdirSync(SOURCE, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.js') && !NOT_SHIPPED.test(name));
    const makers: string[] = [];
    for (const file of files) {
      const { literals, makesOthers } = read(file);
      found.push(...literals);
      if (makesOthers) makers.push(file);
    }
    const made = await madeBy(makers);
    // One of them may have been loaded by another before its turn.
    assert.ok(made.length >= makers.length, `only ${made.length} were made by ${makers.join(', ')}`);
    found.push(...made);
  });

  it('are found', () => assert.ok(found.length > 140, `${found.length}`));

  it('are linear, or their input is bounded', () => {
    const unsafe = new Map<string, string>();
    const used = new Set<string>();
    for (const { pattern, flags, file } of found) {
      if (Object.hasOwn(CLEARED, pattern)) {
        used.add(pattern);
        continue;
      }
      const { safe } = isSafePattern(pattern, {
        caseInsensitive: flags.includes('i'),
        unicode: flags.includes('u'),
        dotAll: flags.includes('s'),
        multiLine: flags.includes('m'),
        maxScore: MAX_BACKTRACKS,
        timeout: CHECK_MS,
      });
      if (!safe) unsafe.set(`/${pattern}/${flags}`, file);
    }
    assert.deepEqual([...unsafe], [], 'rewrite these, or bound what they are given and say so above');
    assert.deepEqual([...used].sort(), Object.keys(CLEARED).sort(), 'cleared, but no longer there');
  });

  it('are checked by something that finds those that are not', () => {
    for (const pattern of ['^(a+)+$', '\\s*\\n\\s*', '^([+-]?)(\\d*)(?:\\.(\\d*))?([eE]*[-+]?\\d*)$']) {
      assert.equal(isSafePattern(pattern, { maxScore: MAX_BACKTRACKS, timeout: CHECK_MS }).safe, false);
    }
  });
});
