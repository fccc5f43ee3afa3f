// Looks through an object for fields that nothing here acts on, by the schema and the table of unsupported.ts.

import { own } from '../../base/own.ts';
import { isStruct } from '../../base/struct.ts';
import { type FieldError, forbiddenField } from '../errors.ts';
import { perType, type StructType } from '../schema/schema.ts';
import { UNSUPPORTED, type Unsupported } from './unsupported.ts';

interface Found {
  path: string;
  unsupported: Unsupported;
}

/** What of a type has to be looked at. */
interface Plan {
  fields: ReadonlyArray<readonly [field: string, unsupported: Unsupported]>;
  /** The fields below which there is something to look for. */
  children: ReadonlyArray<readonly [field: string, type: StructType]>;
}

const hasUnsupported = ({ name }: StructType): boolean => own(UNSUPPORTED, name) !== undefined;

/** The types below the fields of a type. Nobody asks for a status. */
const typesBelow = (type: StructType): [string, StructType][] =>
  type.fields.flatMap(([field, schema]): [string, StructType][] => {
    const below = field === 'status' ? undefined : type.typeBelow(schema);
    return below ? [[field, below]] : [];
  });

const reachesUnsupported = perType((type): boolean => {
  const reached = new Set([type]);
  for (const each of reached) {
    if (hasUnsupported(each)) return true;
    for (const [, below] of typesBelow(each)) reached.add(below);
  }
  return false;
});

const planOf = perType(
  (type): Plan => ({
    fields: Object.entries(own(UNSUPPORTED, type.name) ?? {}),
    children: typesBelow(type).filter(([, below]) => reachesUnsupported(below)),
  }),
);

function find(type: StructType, object: Record<string, unknown>, path: string, found: Found[]): Found[] {
  const { fields, children } = planOf(type);
  for (const [field, unsupported] of fields) {
    const value = object[field];
    if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) continue;
    const { values } = unsupported;
    if (!values || values.some((each) => each === value))
      found.push({ path: `${path}${field}`, unsupported });
  }
  for (const [field, below] of children) {
    const value = object[field];
    if (Array.isArray(value)) {
      value.forEach((item, index) => {
        if (isStruct(item)) find(below, item, `${path}${field}[${index}].`, found);
      });
    } else if (isStruct(value)) find(below, value, `${path}${field}.`, found);
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
 * @param type the object's. @param old the object before: what it had already is not told again.
 */
export function unsupportedFields(type: StructType, object: object, old?: object): Advice {
  const advice: Advice = { warnings: [], errors: [] };
  const found = find(type, { ...object }, '', []);
  const had = new Set(old && found.length > 0 ? find(type, { ...old }, '', []).map(({ path }) => path) : []);
  for (const { path, unsupported } of found) {
    if (had.has(path)) continue;
    const text = `not supported by stead: ${unsupported.instead}`;
    if (unsupported.refused) advice.errors.push(forbiddenField(path, text));
    else advice.warnings.push(`${path}: ${text}`);
  }
  return advice;
}
