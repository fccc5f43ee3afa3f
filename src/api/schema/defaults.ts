// Defaulting: what a decoded object means where it says nothing, filled in from facts/constant-defaults.ts and
// facts/default-rules.ts, parents before children as upstream does. Needs no request, no clock and no other object;
// what depends on those (cluster IPs, the default class, priorities) is admission's and the strategies' business.
import type { KubeObject } from '../objects.ts';
import { CONSTANT_DEFAULTS } from './facts/constant-defaults.ts';
import { DEFAULT_RULES, type DefaultRules } from './facts/default-rules.ts';
import { isVerbatim } from './facts/verbatim.ts';
import { type FieldSchema, typeSchema } from './schema.ts';

type Struct = Record<string, unknown>;

interface DefaultPlan {
  constants: ReadonlyArray<readonly [field: string, value: unknown]>;
  rule: ((object: Struct) => void) | undefined;
  /** The fields below which there is something to default. */
  children: ReadonlyArray<readonly [field: string, type: string]>;
}

const plans = new Map<string, DefaultPlan>();
const reaching = new Map<string, boolean>();

function refOf(schema: FieldSchema): string | undefined {
  if (schema.type === 'object') return schema.ref;
  if (schema.type === 'array') return refOf(schema.items);
  return schema.type === 'map' ? refOf(schema.values) : undefined;
}

function hasRule(typeName: string): typeName is keyof DefaultRules {
  return Object.hasOwn(DEFAULT_RULES, typeName);
}

/** Whether the type, or one below it, has defaults. No served type contains itself, so this ends. */
function reachesDefaults(typeName: string): boolean {
  const known = reaching.get(typeName);
  if (known !== undefined) return known;
  reaching.set(typeName, false);
  const own = Object.hasOwn(CONSTANT_DEFAULTS, typeName) || hasRule(typeName);
  const refs = Object.values(typeSchema(typeName).properties).map(refOf);
  const reaches = own || refs.some((ref) => ref !== undefined && reachesDefaults(ref));
  reaching.set(typeName, reaches);
  return reaches;
}

function planOf(typeName: string): DefaultPlan {
  let plan = plans.get(typeName);
  if (!plan) {
    const children = Object.entries(typeSchema(typeName).properties).flatMap(([field, schema]) => {
      const ref = refOf(schema);
      if (ref === undefined || isVerbatim(typeName, field)) return [];
      return reachesDefaults(ref) ? [[field, ref] as const] : [];
    });
    plan = {
      constants: Object.entries(CONSTANT_DEFAULTS[typeName] ?? {}),
      // Each rule takes the generated type of its name, which is what a decoded object of that type is.
      rule: hasRule(typeName)
        ? (DEFAULT_RULES[typeName] as (object: never) => void as (object: Struct) => void)
        : undefined,
      children,
    };
    plans.set(typeName, plan);
  }
  return plan;
}

function isStruct(value: unknown): value is Struct {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function defaultStruct(typeName: string, object: Struct): void {
  const { constants, rule, children } = planOf(typeName);
  for (const [field, value] of constants) {
    if (object[field] === undefined) object[field] = isStruct(value) ? { ...value } : value;
  }
  rule?.(object);
  for (const [field, type] of children) {
    const value = object[field];
    if (Array.isArray(value)) {
      for (const item of value) if (isStruct(item)) defaultStruct(type, item);
    } else if (isStruct(value)) {
      defaultStruct(type, value);
    }
  }
}

/** Fills in, in place, every default of an object of a schema type that `decode` has made. */
export function applyDefaults(schemaName: string, object: KubeObject): void {
  if (isStruct(object)) defaultStruct(schemaName, object);
}
