// JSON objects written as protobuf messages, by their schema and its numbers. How a type is written is
// put together once, on first use.
import { type FieldSchema, perType, type StructType } from '../../api/schema/schema.ts';
import { type NumberedFields, numberedFields } from './numbered-fields.ts';
import type { ProtobufWriter } from './writer.ts';

/** Writes one value with its field's number. The values come from decoded objects: the schema vouches for types. */
type Write = (writer: ProtobufWriter, value: unknown) => void;

interface FieldWriter {
  /** Undefined for fields of another message that stand in the outer object in JSON: the value is that object. */
  name: string | undefined;
  write: Write;
}

/** Writes an object of a type. Fields without a number, and what is null, are left out. */
export function writeMessage(writer: ProtobufWriter, type: StructType, object: object): void {
  writeFields(writer, writersOf(type), object);
}

function writeFields(writer: ProtobufWriter, fields: readonly FieldWriter[], object: object): void {
  const values = object as Readonly<Record<string, unknown>>;
  for (const { name, write } of fields) {
    if (name === undefined) write(writer, object);
    else {
      const value = values[name];
      if (value !== undefined && value !== null) write(writer, value);
    }
  }
}

const writersOf = perType((type) => compile(type, numberedFields(type)));

function compile(type: StructType, numbers: NumberedFields): readonly FieldWriter[] {
  // Last first: the message is written from its end.
  const fields = [...numbers].sort(([a], [b]) => b - a);
  return fields.map(([number, field]): FieldWriter => {
    if ('inline' in field) return { name: undefined, write: inlined(number, compile(type, field.inline)) };
    return { name: field.name, write: fieldWriter(type, number, field.schema) };
  });
}

function inlined(number: number, fields: readonly FieldWriter[]): Write {
  return (writer, value) => {
    const before = writer.length;
    writeFields(writer, fields, value as object);
    if (writer.length > before) writer.delimit(number, before);
  };
}

function fieldWriter(owner: StructType, number: number, schema: FieldSchema): Write {
  switch (schema.type) {
    case 'array': {
      const write = fieldWriter(owner, number, schema.items);
      return (writer, value) => {
        const items = value as readonly unknown[];
        for (let index = items.length - 1; index >= 0; index--) write(writer, items[index]);
      };
    }
    case 'map':
      return mapWriter(owner, number, schema.values);
    case 'string':
      return stringWriter(number, schema);
    case 'integer':
      return (writer, value) => {
        writer.integer(value as number);
        writer.tag(number, 0);
      };
    case 'boolean':
      return (writer, value) => {
        writer.varint(value === true ? 1 : 0);
        writer.tag(number, 0);
      };
    case 'number':
      return (writer, value) => {
        writer.double(value as number);
        writer.tag(number, 1);
      };
    case 'object': {
      const type = owner.type(schema.ref);
      return delimited(number, (writer, value) => writeMessage(writer, type, value as object));
    }
    case 'int-or-string':
      return delimited(number, writeIntOrString);
    case 'any':
      return delimited(number, (writer, value) => writeText(writer, 1, JSON.stringify(value)));
  }
}

function delimited(number: number, write: Write): Write {
  return (writer, value) => {
    const before = writer.length;
    write(writer, value);
    writer.delimit(number, before);
  };
}

function writeText(writer: ProtobufWriter, number: number, text: string): void {
  const before = writer.length;
  writer.string(text);
  writer.delimit(number, before);
}

function stringWriter(number: number, { format, quantity }: FieldSchema & { type: 'string' }): Write {
  if (format === 'byte') {
    return delimited(number, (writer, value) => writer.bytes(Buffer.from(value as string, 'base64')));
  }
  if (format) return delimited(number, writeTime);
  if (quantity) return delimited(number, (writer, value) => writeText(writer, 1, `${value}`));
  return (writer, value) => writeText(writer, number, value as string);
}

/** A list in a map is a message of its own, with the items in its first field. */
function mapWriter(owner: StructType, number: number, values: FieldSchema): Write {
  const list = values.type === 'array' ? fieldWriter(owner, 1, values) : undefined;
  const write = list ? delimited(2, list) : fieldWriter(owner, 2, values);
  return (writer, value) => {
    for (const [key, item] of Object.entries(value as object).sort(byKeyDescending)) {
      const before = writer.length;
      if (item !== null && item !== undefined) write(writer, item);
      writeText(writer, 1, key);
      writer.delimit(number, before);
    }
  };
}

const byKeyDescending = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? 1 : -1);

const SECOND = /^(\d{4}-\d\d-\d\dT[\d:]{8})(?:\.(\d{1,9}))?(.*)$/;

function writeTime(writer: ProtobufWriter, value: unknown): void {
  const [, whole = '', fraction = '', zone = ''] = SECOND.exec(value as string) ?? [];
  writer.varint(Number(fraction.padEnd(9, '0')));
  writer.tag(2, 0);
  writer.integer(Date.parse(whole + zone) / 1000);
  writer.tag(1, 0);
}

function writeIntOrString(writer: ProtobufWriter, value: unknown): void {
  const isString = typeof value === 'string';
  writeText(writer, 3, isString ? value : '');
  writer.integer(isString ? 0 : (value as number));
  writer.tag(2, 0);
  writer.varint(isString ? 1 : 0);
  writer.tag(1, 0);
}
