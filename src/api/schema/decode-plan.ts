// How each type is decoded: what its fields are and what is known of them, put together once per type, on first use.
import type { FieldSchema, StructType } from './schema.ts';
import { perType } from './schema.ts';

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

function valuePlan(owner: StructType, schema: FieldSchema, verbatim: boolean): ValuePlan {
  switch (schema.type) {
    case 'object': {
      const type = owner.type(schema.ref);
      let made: TypePlan | undefined;
      const plan = (): TypePlan => {
        made ??= typePlan(type, verbatim);
        return made;
      };
      return { kind: 'struct', goType: `v1.${type.goName}`, plan };
    }
    case 'array': {
      const items = { ...valuePlan(owner, schema.items, verbatim), name: '', dropsZero: false };
      return { kind: 'list', goType: `[]${items.goType}`, items };
    }
    case 'map': {
      const values = { ...valuePlan(owner, schema.values, verbatim), name: '', dropsZero: false };
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
      return stringPlan(schema);
  }
}

function stringPlan(schema: FieldSchema & { type: 'string' }): ScalarPlan {
  if (schema.format === 'byte') return { kind: 'scalar', scalar: 'byte', goType: '[]uint8' };
  if (schema.format === 'date-time') return { kind: 'scalar', scalar: 'time', goType: 'string' };
  if (schema.format === 'micro-time') return { kind: 'scalar', scalar: 'micro-time', goType: 'string' };
  if (schema.quantity) return { kind: 'scalar', scalar: 'quantity', goType: 'string' };
  return { kind: 'scalar', scalar: 'string', goType: schema.enum ? `v1.${schema.enum.name}` : 'string' };
}

/** What even a verbatim object has: validation looks into these. */
const NEVER_MISSING = ['metadata', 'spec'];

function compile(type: StructType, verbatim: boolean): TypePlan {
  const { required = [] } = type.declared;
  const fields = new Map<string, FieldPlan>();
  const alwaysPresent: FieldPlan[] = [];
  for (const [name, schema] of type.fields) {
    const value = valuePlan(type, schema, verbatim || schema.verbatim === true);
    const { presence } = schema;
    const mandatory = presence === undefined ? required.includes(name) : presence === 'written';
    const isScalar = value.kind === 'scalar' && value.scalar !== 'time' && value.scalar !== 'micro-time';
    const present = presence === 'embedded' || (mandatory && (isScalar || value.kind === 'list'));
    const dropsZero = !present && presence !== 'pointer' && value.kind !== 'struct' && value.kind !== 'any';
    const field = { ...value, name, dropsZero };
    fields.set(name, field);
    if (present && (!verbatim || NEVER_MISSING.includes(name))) alwaysPresent.push(field);
  }
  return { goName: type.goName, fields, alwaysPresent };
}

const planOf = perType((type) => compile(type, false));
const verbatimPlanOf = perType((type) => compile(type, true));

/**
 * The plan of a type.
 * @param verbatim for objects that stand in a field that is kept so: nothing is added to them.
 */
export function typePlan(type: StructType, verbatim = false): TypePlan {
  return verbatim ? verbatimPlanOf(type) : planOf(type);
}
