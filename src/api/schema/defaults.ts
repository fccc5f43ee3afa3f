// Defaulting: what a decoded object means where it says nothing, parents before children as upstream does: first the
// constants of a type's fields, then what depends on more than one. Needs no request, no clock and no other object; what
// depends on those (cluster IPs, the default class, priorities) is admission's and the strategies' business.
import { isStruct, type Struct } from '../../base/struct.ts';
import type { KubeObject } from '../objects.ts';
import { perType, type StructType } from './schema.ts';

interface DefaultPlan {
  constants: ReadonlyArray<readonly [field: string, value: unknown]>;
  setDefaults: ((object: object) => void) | undefined;
  /** The fields below which there is something to default. */
  children: readonly Child[];
}

interface Child {
  field: string;
  type: StructType;
  /** Of the type; put together when there is such a field for the first time. */
  plan?: DefaultPlan;
}

const hasDefaults = ({ declared, fields }: StructType): boolean =>
  declared.setDefaults !== undefined || fields.some(([, schema]) => schema.default !== undefined);

/** Whether the type, or one below it, has defaults. */
const reachesDefaults = perType((type): boolean => {
  const reached = new Set([type]);
  for (const each of reached) {
    if (hasDefaults(each)) return true;
    for (const [, schema] of each.fields) {
      const below = each.typeBelow(schema);
      if (below) reached.add(below);
    }
  }
  return false;
});

const planOf = perType((type): DefaultPlan => {
  const children = type.fields.flatMap(([field, schema]): Child[] => {
    const below = schema.verbatim ? undefined : type.typeBelow(schema);
    return below && reachesDefaults(below) ? [{ field, type: below }] : [];
  });
  const constants = type.fields.flatMap(([field, { default: value }]) =>
    value === undefined ? [] : [[field, value] as const],
  );
  return { constants, setDefaults: type.declared.setDefaults, children };
});

function defaultStruct(plan: DefaultPlan, object: Struct): void {
  for (const [field, value] of plan.constants) {
    if (object[field] === undefined) object[field] = isStruct(value) ? { ...value } : value;
  }
  plan.setDefaults?.(object);
  for (const child of plan.children) {
    const value = object[child.field];
    if (typeof value !== 'object') continue;
    child.plan ??= planOf(child.type);
    if (Array.isArray(value)) {
      for (const item of value) if (isStruct(item)) defaultStruct(child.plan, item);
    } else if (isStruct(value)) {
      defaultStruct(child.plan, value);
    }
  }
}

/** Fills in, in place, every default of an object of a type that `decode` has made. */
export function applyDefaults(type: StructType, object: KubeObject): void {
  if (isStruct(object)) defaultStruct(planOf(type), object);
}
