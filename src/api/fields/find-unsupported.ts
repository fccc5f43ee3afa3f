// Looks through an object for fields that nothing here acts on, by the schema and the table of unsupported.ts.

import { own } from '../../base/own.ts';
import { type FieldError, forbiddenField } from '../errors.ts';
import { type FieldSchema, typeSchema } from '../schema/schema.ts';
import { UNSUPPORTED, type Unsupported } from './unsupported.ts';

interface Found {
  path: string;
  unsupported: Unsupported;
}

/** What of a type has to be looked at. */
interface Plan {
  fields: ReadonlyArray<readonly [field: string, unsupported: Unsupported]>;
  /** The fields below which there is something to look for. */
  children: ReadonlyArray<readonly [field: string, type: string]>;
}

const plans = new Map<string, Plan>();
/** Types that are being planned: none contains itself, but the schema does not say so. */
const NOTHING: Plan = { fields: [], children: [] };

/** The type of an object that a field holds, or holds several of. */
export function objectTypeOf(schema: FieldSchema): string | undefined {
  if (schema.type === 'object') return schema.ref;
  if (schema.type === 'array') return objectTypeOf(schema.items);
  return schema.type === 'map' ? objectTypeOf(schema.values) : undefined;
}

function planOf(typeName: string): Plan {
  const known = plans.get(typeName);
  if (known) return known;
  plans.set(typeName, NOTHING);
  const children = Object.entries(typeSchema(typeName).properties).flatMap(([field, schema]) => {
    const type = objectTypeOf(schema);
    // Nobody asks for a status.
    if (type === undefined || field === 'status') return [];
    const { fields, children: below } = planOf(type);
    return fields.length + below.length > 0 ? [[field, type] as const] : [];
  });
  const plan = { fields: Object.entries(own(UNSUPPORTED, typeName) ?? {}), children };
  plans.set(typeName, plan);
  return plan;
}

function isStruct(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function find(typeName: string, object: Record<string, unknown>, path: string, found: Found[]): Found[] {
  const { fields, children } = planOf(typeName);
  for (const [field, unsupported] of fields) {
    const value = object[field];
    if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) continue;
    const { values } = unsupported;
    if (!values || values.some((each) => each === value))
      found.push({ path: `${path}${field}`, unsupported });
  }
  for (const [field, type] of children) {
    const value = object[field];
    if (Array.isArray(value)) {
      value.forEach((item, index) => {
        if (isStruct(item)) find(type, item, `${path}${field}[${index}].`, found);
      });
    } else if (isStruct(value)) find(type, value, `${path}${field}.`, found);
  }
  return found;
}

/** What a client is told of an object that it writes. */
export interface Advice {
  warnings: string[];
  errors: FieldError[];
}

/**
 * What is to be said of the fields of an object that nothing here acts on.
 * @param schemaName the object's type. @param old the object before: what it had already is not told again.
 */
export function unsupportedFields(schemaName: string, object: object, old?: object): Advice {
  const advice: Advice = { warnings: [], errors: [] };
  const found = find(schemaName, { ...object }, '', []);
  const had = new Set(
    old && found.length > 0 ? find(schemaName, { ...old }, '', []).map(({ path }) => path) : [],
  );
  for (const { path, unsupported } of found) {
    if (had.has(path)) continue;
    const text = `not supported by stead: ${unsupported.instead}`;
    if (unsupported.refused) advice.errors.push(forbiddenField(path, text));
    else advice.warnings.push(`${path}: ${text}`);
  }
  return advice;
}
