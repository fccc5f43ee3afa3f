// Values for request bodies: by the schema, mostly of the right type, from few names, so that requests meet each
// other's objects; and now and then anything at all.
import type { FieldSchema, StructType } from '../../src/api/schema/schema.ts';
import type { Dice } from './dice.ts';

export const NAMES = ['a', 'b', 'web', 'web-0', 'default', 'kube-system'] as const;
const TEXTS = [
  ...NAMES,
  '',
  'A_B',
  '-a',
  'a.b',
  'x'.repeat(300),
  '../../etc',
  '__proto__',
  'constructor',
  'toString',
  'ü\u0000\ud800',
  '10.0.0.1',
  '/data',
  '80',
  'Always',
  'TCP',
  'example/main:1',
  '*',
  '\n',
] as const;
const NUMBERS = [0, 1, 2, 3, 80, 443, -1, 65_536, 2 ** 31, -(2 ** 31), 2 ** 53, 1e308, 0.5] as const;
const WILD: readonly [unknown, ...unknown[]] = [
  null,
  true,
  false,
  '',
  'x',
  0,
  -1,
  1.5,
  [],
  {},
  [null],
  { a: {} },
  [[]],
];
const TIMES = [
  '2026-01-01T00:00:00Z',
  '2026-01-01T00:00:00.123456Z',
  '0000-00-00T00:00:00Z',
  'now',
  '',
] as const;
const AMOUNTS = ['1', '100m', '1Gi', '200Mi', '-1', '1e3', '0', '', 'x', '9'.repeat(40), '1.5Ki'] as const;

/** Anything, of any type and depth. */
export function wild(dice: Dice): unknown {
  if (dice.chance(0.02)) {
    let deep: unknown = 'bottom';
    for (let level = dice.below(3000); level > 0; level--) deep = dice.chance(0.5) ? [deep] : { a: deep };
    return deep;
  }
  if (dice.chance(0.02)) return 'x'.repeat(dice.below(300_000));
  if (dice.chance(0.3)) return dice.pick(TEXTS);
  return structuredClone(dice.pick(WILD));
}

/** An object of a type. */
export function objectOf(dice: Dice, type: StructType, depth = 0): Record<string, unknown> {
  const { required = [] } = type.declared;
  const object: Record<string, unknown> = {};
  for (const [name, schema] of type.fields) {
    const wanted = required.includes(name) ? 0.95 : depth > 5 ? 0.02 : 0.2;
    if (name === 'apiVersion' || name === 'kind' || !dice.chance(wanted)) continue;
    object[name] = dice.chance(0.01) ? wild(dice) : valueFor(dice, type, schema, depth);
  }
  if (dice.chance(0.01)) object[dice.pick(TEXTS)] = wild(dice);
  return object;
}

function valueFor(dice: Dice, owner: StructType, schema: FieldSchema, depth: number): unknown {
  switch (schema.type) {
    case 'string': {
      if (schema.format === 'byte') return dice.pick(['', 'AA==', 'eA', '!', 'QUJD'] as const);
      if (schema.format) return dice.pick(TIMES);
      if (schema.quantity) return dice.pick(AMOUNTS);
      const [first, ...others] = schema.enum?.values ?? [];
      if (first !== undefined && dice.chance(0.9)) return dice.pick([first, ...others]);
      return dice.chance(0.6) ? dice.pick(NAMES) : dice.pick(TEXTS);
    }
    case 'integer':
      return dice.chance(0.7) ? dice.below(100) : dice.pick(NUMBERS);
    case 'number':
      return dice.pick(NUMBERS);
    case 'boolean':
      return dice.chance(0.5);
    case 'int-or-string':
      return dice.chance(0.5) ? dice.below(100) : dice.pick(['50%', 'web', '101%', ''] as const);
    case 'any':
      return wild(dice);
    case 'object':
      return objectOf(dice, owner.type(schema.ref), depth + 1);
    case 'array':
      return Array.from({ length: dice.below(3) }, () => valueFor(dice, owner, schema.items, depth + 1));
    case 'map':
      return Object.fromEntries(
        Array.from({ length: dice.below(3) }, () => [
          dice.chance(0.7) ? dice.pick(NAMES) : dice.pick(TEXTS),
          valueFor(dice, owner, schema.values, depth + 1),
        ]),
      );
  }
}
