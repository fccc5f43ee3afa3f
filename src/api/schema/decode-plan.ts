// How each type is decoded: the schema and the facts about it, put together once per type, on first use, so that
// decoding an object asks no table by name.
import { ENUMS } from './facts/enums.ts';
import { ALWAYS_WRITTEN, EMBEDDED, POINTERS } from './facts/presence.ts';
import { QUANTITIES } from './facts/quantities.ts';
import { isVerbatim } from './facts/verbatim.ts';
import { type FieldSchema, typeSchema } from './schema.ts';

/** How one scalar is decoded. */
export interface ScalarPlan {
  kind: 'scalar';
  scalar:
    | 'string'
    | 'byte'
    | 'time'
    | 'micro-time'
    | 'int32'
    | 'int64'
    | 'number'
    | 'boolean'
    | 'int-or-string'
    | 'quantity';
  /** As Go's errors name the type: `int32`, `v1.PullPolicy`. */
  goType: string;
  /** A quantity in a map of resources, which upstream rounds up to a thousandth. */
  roundsToMilli?: boolean;
}

type ValuePlan =
  | ScalarPlan
  | { kind: 'struct'; goType: string; plan(): TypePlan }
  | { kind: 'list'; goType: string; items: FieldPlan }
  | { kind: 'map'; goType: string; values: FieldPlan }
  | { kind: 'any'; goType: string };

export type FieldPlan = ValuePlan & {
  name: string;
  /** Whether a zero value means the same as none, and is left out. */
  dropsZero: boolean;
};

export interface TypePlan {
  goName: string;
  fields: ReadonlyMap<string, FieldPlan>;
  /** Fields that are there even when the client leaves them out. */
  alwaysPresent: readonly FieldPlan[];
}

const plans = new Map<string, TypePlan>();
let enumOfField: Map<string, string> | undefined;

function enumType(field: string): string | undefined {
  enumOfField ??= new Map(
    Object.entries(ENUMS).flatMap(([name, { fields }]) =>
      fields.map((path): [string, string] => [path, name]),
    ),
  );
  return enumOfField.get(field);
}

/** The name of a type in Go: without what the schema's names add to tell groups apart. */
function goNameOf(schemaName: string): string {
  return schemaName.replace(/^(?:Events|Discovery|Rbac)V1(?=[A-Z])/, '');
}

function valuePlan(schema: FieldSchema, path: string, verbatim: boolean): ValuePlan {
  switch (schema.type) {
    case 'object': {
      const { ref } = schema;
      return { kind: 'struct', goType: `v1.${goNameOf(ref)}`, plan: () => typePlan(ref, verbatim) };
    }
    case 'array': {
      const items = { ...valuePlan(schema.items, path, verbatim), name: '', dropsZero: false };
      return { kind: 'list', goType: `[]${items.goType}`, items };
    }
    case 'map': {
      const values = { ...valuePlan(schema.values, path, verbatim), name: '', dropsZero: false };
      if (values.kind === 'scalar' && values.scalar === 'quantity') {
        return { kind: 'map', goType: 'v1.ResourceList', values: { ...values, roundsToMilli: true } };
      }
      return { kind: 'map', goType: `map[string]${values.goType}`, values };
    }
    case 'any':
      return { kind: 'any', goType: 'interface {}' };
    case 'integer':
      return { kind: 'scalar', scalar: schema.format, goType: schema.format };
    case 'number':
      return { kind: 'scalar', scalar: 'number', goType: 'float64' };
    case 'boolean':
      return { kind: 'scalar', scalar: 'boolean', goType: 'bool' };
    case 'int-or-string':
      return { kind: 'scalar', scalar: 'int-or-string', goType: 'int32' };
    case 'string':
      return stringPlan(schema.format, path);
  }
}

function stringPlan(format: 'byte' | 'date-time' | 'micro-time' | undefined, path: string): ScalarPlan {
  if (format === 'byte') return { kind: 'scalar', scalar: 'byte', goType: '[]uint8' };
  if (format === 'date-time') return { kind: 'scalar', scalar: 'time', goType: 'string' };
  if (format === 'micro-time') return { kind: 'scalar', scalar: 'micro-time', goType: 'string' };
  if (QUANTITIES.has(path)) return { kind: 'scalar', scalar: 'quantity', goType: 'string' };
  const known = enumType(path);
  return { kind: 'scalar', scalar: 'string', goType: known ? `v1.${known}` : 'string' };
}

const listed = (table: Readonly<Record<string, string>>, typeName: string): ReadonlySet<string> =>
  new Set(table[typeName]?.split(' '));

/** What even a verbatim object has: validation looks into these. */
const NEVER_MISSING = ['metadata', 'spec'];

function compile(schemaName: string, verbatim: boolean): TypePlan {
  const { properties, required = [] } = typeSchema(schemaName);
  const pointers = listed(POINTERS, schemaName);
  const embedded = listed(EMBEDDED, schemaName);
  const written = listed(ALWAYS_WRITTEN, schemaName);
  const fields = new Map<string, FieldPlan>();
  const alwaysPresent: FieldPlan[] = [];
  for (const [name, schema] of Object.entries(properties)) {
    const value = valuePlan(schema, `${schemaName}.${name}`, verbatim || isVerbatim(schemaName, name));
    const mandatory = required.includes(name) || written.has(name);
    const isScalar = value.kind === 'scalar' && value.scalar !== 'time' && value.scalar !== 'micro-time';
    const present =
      embedded.has(name) || (mandatory && !pointers.has(name) && (isScalar || value.kind === 'list'));
    const field = {
      ...value,
      name,
      dropsZero: !present && !pointers.has(name) && value.kind !== 'struct' && value.kind !== 'any',
    };
    fields.set(name, field);
    if (present && (!verbatim || NEVER_MISSING.includes(name))) alwaysPresent.push(field);
  }
  return { goName: goNameOf(schemaName), fields, alwaysPresent };
}

/**
 * The plan of a schema type.
 * @param verbatim for objects that stand in a field of facts/verbatim.ts: nothing is added to them.
 */
export function typePlan(schemaName: string, verbatim = false): TypePlan {
  const key = verbatim ? `${schemaName} verbatim` : schemaName;
  let plan = plans.get(key);
  if (!plan) {
    plan = compile(schemaName, verbatim);
    plans.set(key, plan);
  }
  return plan;
}
