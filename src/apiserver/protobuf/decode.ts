// Request bodies in protobuf, which kubectl and Go clients send for built-in types: decoded to the JSON form, from
// where they go the way of every other body. Answers are encode.ts's. Follows apimachinery
// pkg/runtime/serializer/protobuf.

import type { FieldSchema, StructType } from '../../api/schema/schema.ts';
import { setProperty } from '../../api/schema/set-property.ts';
import { timestamp } from '../../base/clock.ts';
import { countValues, requireShallow } from '../http/forms/body-limits.ts';
import { hasProtobuf, type NumberedFields, numberedFields } from './numbered-fields.ts';
import { FieldReader, MAGIC, MAX_FIELDS, malformed, type WireField } from './wire.ts';

/** Messages deeper than this are not Kubernetes objects. */
const MAX_DEPTH = 64;

/**
 * Decodes a whole body.
 * @param typeOf the type of an apiVersion and kind; undefined when it is not served.
 * @throws BadRequest for other bytes, and for kinds without numbers; RequestEntityTooLarge for too many fields.
 */
export function decodeProtobuf(
  body: Buffer,
  typeOf: (apiVersion: string, kind: string) => StructType | undefined,
): object {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) throw malformed();
  const reader = new FieldReader();
  let apiVersion = '';
  let kind = '';
  let raw = Buffer.alloc(0);
  for (const { number, value } of reader.read(body.subarray(MAGIC.length))) {
    if (!Buffer.isBuffer(value)) continue;
    if (number === 2) raw = Buffer.from(value);
    if (number !== 1) continue;
    for (const field of reader.read(value)) {
      if (field.number === 1) apiVersion = field.value.toString();
      if (field.number === 2) kind = field.value.toString();
    }
  }
  const type = typeOf(apiVersion, kind);
  if (!type || !hasProtobuf(type)) throw malformed();
  return { apiVersion, kind, ...new Decoder(reader).message(type, raw, 0) };
}

/** Decodes messages by the schema. */
class Decoder {
  readonly #reader: FieldReader;

  constructor(reader: FieldReader) {
    this.#reader = reader;
  }

  /** The fields of a message. @param numbers of those that it has: the type's own, or of a message within. */
  message(
    type: StructType,
    bytes: Buffer,
    depth: number,
    numbers: NumberedFields = numberedFields(type),
  ): Record<string, unknown> {
    if (depth > MAX_DEPTH) throw malformed();
    const object: Record<string, unknown> = {};
    for (const { number, value } of this.#reader.read(bytes)) {
      const field = numbers.get(number);
      if (!field) continue;
      if ('inline' in field) {
        Object.assign(object, this.message(type, buffer(value), depth + 1, field.inline));
        continue;
      }
      this.#add(type, object, field.name, field.schema, value, depth);
    }
    return object;
  }

  #add(
    owner: StructType,
    object: Record<string, unknown>,
    name: string,
    schema: FieldSchema,
    value: WireField['value'],
    depth: number,
  ): void {
    if (schema.type === 'map') {
      const [key, item] = this.#mapEntry(owner, schema.values, buffer(value), depth);
      const map = (object[name] as Record<string, unknown> | undefined) ?? {};
      setProperty(map, key, item);
      object[name] = map;
    } else if (schema.type === 'array') {
      const list = (object[name] as unknown[] | undefined) ?? [];
      list.push(this.#single(owner, schema.items, value, depth));
      object[name] = list;
    } else {
      const decoded = this.#single(owner, schema, value, depth);
      if (decoded !== undefined) object[name] = decoded;
    }
  }

  #mapEntry(owner: StructType, schema: FieldSchema, bytes: Buffer, depth: number): [string, unknown] {
    let key = '';
    let value: unknown = schema.type === 'string' ? '' : schema.type === 'array' ? [] : undefined;
    for (const field of this.#reader.read(bytes)) {
      if (field.number === 1) key = buffer(field.value).toString();
      if (field.number !== 2) continue;
      // A list in a map is a message of its own, with the items in its first field.
      value =
        schema.type === 'array'
          ? [...this.#reader.read(buffer(field.value))].map((item) =>
              this.#single(owner, schema.items, item.value, depth),
            )
          : this.#single(owner, schema, field.value, depth);
    }
    return [key, value];
  }

  #single(owner: StructType, schema: FieldSchema, value: WireField['value'], depth: number): unknown {
    switch (schema.type) {
      case 'string':
        if (schema.quantity) return this.#first(buffer(value), 1)?.toString() ?? '0';
        if (schema.format === 'byte') return buffer(value).toString('base64');
        return schema.format ? this.#time(buffer(value), schema.format) : buffer(value).toString();
      case 'integer':
        return Number(BigInt.asIntN(64, integer(value)));
      case 'boolean':
        return integer(value) !== 0n;
      case 'number':
        return buffer(value).readDoubleLE();
      case 'int-or-string':
        return this.#intOrString(buffer(value));
      case 'any':
        return this.#json(this.#first(buffer(value), 1));
      case 'object':
        return this.message(owner.type(schema.ref), buffer(value), depth + 1);
      case 'array':
      case 'map':
        throw malformed();
    }
  }

  /** A zero time is an empty message, and absent in JSON. */
  #time(bytes: Buffer, format: 'date-time' | 'micro-time'): string | undefined {
    const seconds = Number(BigInt.asIntN(64, integer(this.#first(bytes, 1) ?? 0n)));
    const nanos = Number(BigInt.asIntN(32, integer(this.#first(bytes, 2) ?? 0n)));
    if (bytes.length === 0 || !Number.isFinite(new Date(seconds * 1000).getTime())) return undefined;
    const whole = timestamp(seconds * 1000);
    if (format === 'date-time') return whole;
    return `${whole.slice(0, -1)}.${String(Math.trunc(nanos / 1000)).padStart(6, '0')}Z`;
  }

  #intOrString(bytes: Buffer): number | string {
    const isString = integer(this.#first(bytes, 1) ?? 0n) === 1n;
    if (isString) return this.#first(bytes, 3)?.toString() ?? '';
    return Number(BigInt.asIntN(32, integer(this.#first(bytes, 2) ?? 0n)));
  }

  #json(raw: WireField['value'] | undefined): unknown {
    if (!Buffer.isBuffer(raw) || raw.length === 0) return undefined;
    this.#reader.take(countValues(raw, MAX_FIELDS));
    let value: unknown;
    try {
      value = JSON.parse(raw.toString());
    } catch {
      throw malformed();
    }
    requireShallow(value);
    return value;
  }

  /** The value of one field of a message. */
  #first(bytes: Buffer, number: number): WireField['value'] | undefined {
    for (const field of this.#reader.read(bytes)) if (field.number === number) return field.value;
    return undefined;
  }
}

function buffer(value: WireField['value']): Buffer {
  if (Buffer.isBuffer(value)) return value;
  throw malformed();
}

function integer(value: WireField['value']): bigint {
  if (typeof value === 'bigint') return value;
  throw malformed();
}
