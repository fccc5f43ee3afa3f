// Decoding: from what a client sent to an object of a schema type, the way Go's typed decoding does it: unknown
// fields are pruned (and reported), types are checked with upstream's messages, nulls dropped, quantities and zero
// values brought to the one form that upstream would store. Defaults and validation come after.
import { isStruct } from '../../base/struct.ts';
import { badRequest, StatusError } from '../errors.ts';
import type { KubeObject } from '../objects.ts';
import { type FieldPlan, type TypePlan, typePlan } from './decode-plan.ts';
import { decodeScalar, goValue, zeroOf } from './decode-scalar.ts';
import { type RepeatedKeys, yamlErrorOf } from './repeated-keys.ts';
import type { StructType } from './schema.ts';
import { setProperty } from './set-property.ts';

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface Decoded {
  object: KubeObject;
  /** For the `Warning:` header; only with Warn. */
  warnings: string[];
}

/** As many unknown and repeated fields as upstream reports. */
const MAX_REPORTS = 100;
/** Their length together: one that is long is reported whole, a hundred are not. */
const MAX_REPORTED_CHARACTERS = 64 * 1024;

/** Where the decoder stands, for error messages: Go names the struct and the path of fields without indices. */
interface Place {
  struct: string;
  fields: string;
}

/** A value that the type cannot hold; the message is Go's. */
class DecodeFailure extends Error {
  /** Whether Go's decoder says no more than that, where it is not asked for a whole object. */
  readonly isBare: boolean;

  constructor(message: string, isBare = true) {
    super(message);
    this.isBare = isBare;
  }
}

/** What a client is told of an object that the type cannot hold. */
export class DecodeError extends StatusError {
  /** The reason without the object's kind, for whoever says something else in front. */
  readonly why: string;

  constructor(message: string, why = message) {
    super(badRequest(message).status);
    this.why = why;
  }
}

const NOTHING: ReadonlySet<string> = new Set();

class Decoder {
  readonly reports: string[] = [];
  readonly #repeated: ReadonlySet<string>;
  #reported = 0;

  /** @param repeated the paths of the fields that the client has written more than once. */
  constructor(repeated: ReadonlySet<string>) {
    this.#repeated = repeated;
  }

  #report(kind: 'unknown' | 'duplicate', path: string): void {
    if (this.reports.length >= MAX_REPORTS || this.#reported > MAX_REPORTED_CHARACTERS) return;
    const report = `${kind} field ${JSON.stringify(path)}`;
    this.reports.push(report);
    this.#reported += report.length;
  }

  struct(plan: TypePlan, value: unknown, place: Place, path: string): Record<string, unknown> {
    if (!isStruct(value)) {
      throw mismatch(value, `v1.${plan.goName}`, place);
    }
    const decoded: Record<string, unknown> = {};
    for (const [name, given] of Object.entries(value)) {
      const field = plan.fields.get(name);
      const fieldPath = path ? `${path}.${name}` : name;
      if (!field) {
        this.#report('unknown', fieldPath);
        continue;
      }
      if (this.#repeated.has(fieldPath)) this.#report('duplicate', fieldPath);
      if (given === null || given === undefined) continue;
      const at = { struct: plan.goName, fields: place.fields ? `${place.fields}.${name}` : name };
      const result = this.value(field, given, at, fieldPath);
      if (!field.dropsZero || !isZero(result)) decoded[name] = result;
    }
    for (const field of plan.alwaysPresent) {
      if (decoded[field.name] === undefined) decoded[field.name] = this.zero(field);
    }
    return decoded;
  }

  value(field: FieldPlan, value: unknown, place: Place, path: string): unknown {
    switch (field.kind) {
      case 'struct':
        return this.struct(field.plan(), value, place, path);
      case 'list': {
        if (!Array.isArray(value)) throw mismatch(value, field.goType, place);
        const { items } = field;
        return value.map((item, index) =>
          item === null ? this.zero(items) : this.value(items, item, place, `${path}[${index}]`),
        );
      }
      case 'map': {
        if (!isStruct(value)) {
          throw mismatch(value, field.goType, place);
        }
        const { values } = field;
        const decoded: Record<string, unknown> = {};
        for (const [key, item] of Object.entries(value)) {
          const itemPath = `${path}.${key}`;
          if (this.#repeated.has(itemPath)) this.#report('duplicate', itemPath);
          const result = item === null ? this.zero(values) : this.value(values, item, place, itemPath);
          setProperty(decoded, key, result);
        }
        return decoded;
      }
      case 'any':
        return value;
      default: {
        const result = decodeScalar(field, value);
        if (result.ok) return result.value;
        throw result.expected === undefined
          ? new DecodeFailure(result.reason, field.scalar === 'time' || field.scalar === 'micro-time')
          : mismatch(value, result.expected, place);
      }
    }
  }

  zero(field: FieldPlan): unknown {
    if (field.kind === 'struct') return this.struct(field.plan(), {}, { struct: '', fields: '' }, '');
    if (field.kind === 'list') return [];
    if (field.kind === 'map') return {};
    return field.kind === 'any' ? null : zeroOf(field);
  }
}

function isZero(value: unknown): boolean {
  if (value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function mismatch(value: unknown, goType: string, place: Place): DecodeFailure {
  const target = place.fields
    ? `Go struct field ${place.struct}.${place.fields} of type ${goType}`
    : `Go value of type ${goType}`;
  return new DecodeFailure(`json: cannot unmarshal ${goValue(value, goType)} into ${target}`);
}

/**
 * Decodes an object of a type. The result is new and shares only free-form values (RawExtension)
 * with `value`; it has every struct and required scalar that Go would write, and nothing that Go would leave out.
 * Throws badRequest, with upstream's wording, for values of the wrong type, and with Strict for unknown fields and
 * those that are there more than once.
 * @param repeated what the text of the value has more than once; what is below an unknown field is not reported.
 */
export function decode(
  type: StructType,
  value: unknown,
  fieldValidation: FieldValidation,
  repeated?: RepeatedKeys,
): Decoded {
  const plan = typePlan(type);
  const decoder = new Decoder(repeated?.format === 'json' ? repeated.paths : NOTHING);
  let object: Record<string, unknown>;
  try {
    object = decoder.struct(plan, value, { struct: '', fields: '' }, '');
  } catch (error) {
    if (!(error instanceof DecodeFailure)) throw error;
    const message = `${subjectOf(plan, value)}: ${error.message}`;
    throw new DecodeError(message, error.isBare ? error.message : message);
  }
  const lines = repeated?.format === 'yaml' ? repeated.lines : [];
  const { reports } = decoder;
  if (fieldValidation === 'Strict' && reports.length + lines.length > 0) {
    const errors = lines.length > 0 ? [yamlErrorOf(lines), ...reports] : reports;
    throw badRequest(`${subjectOf(plan, value)}: strict decoding error: ${errors.join(', ')}`);
  }
  return { object: asObject(object), warnings: fieldValidation === 'Warn' ? [...lines, ...reports] : [] };
}

/** Every type that has a kind embeds its metadata, so that the decoder has put it there. */
function asObject(object: Record<string, unknown>): KubeObject {
  const metadata = object.metadata;
  return { ...object, metadata: typeof metadata === 'object' && metadata !== null ? metadata : {} };
}

function subjectOf(plan: TypePlan, value: unknown): string {
  const given = typeof value === 'object' && value !== null ? value : {};
  const kind = 'kind' in given && typeof given.kind === 'string' ? given.kind : plan.goName;
  const apiVersion = 'apiVersion' in given && typeof given.apiVersion === 'string' ? given.apiVersion : 'v1';
  const version = apiVersion.slice(apiVersion.lastIndexOf('/') + 1);
  return `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}`;
}
