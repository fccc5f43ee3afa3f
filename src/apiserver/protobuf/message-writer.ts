// JSON objects written as protobuf messages, by their schema and the table of field numbers. How a type is written is
// put together once, on first use.
import { type FieldSchema, typeSchema } from '../../api/schema/schema.ts';
import { numberedFields } from './numbered-fields.ts';
import type { ProtobufWriter } from './writer.ts';

/** Writes one value with its field's number. The values come from decoded objects: the schema vouches for types. */
type Write = (writer: ProtobufWriter, value: unknown) => void;

interface FieldWriter {
  /** Undefined for fields of another message that stand in the outer object in JSON: the value is that object. */
  name: string | undefined;
  write: Write;
}

const writers = new Map<string, readonly FieldWriter[]>();

/** Writes an object of a schema type. Fields without a number, and what is null, are left out. */
export function writeMessage(writer: ProtobufWriter, schema: string, object: object): void {
  writeFields(writer, schema, schema, object);
}

function writeFields(writer: ProtobufWriter, type: string, owner: string, object: object): void {
  const values = object as Readonly<Record<string, unknown>>;
  for (const { name, write } of writersOf(type, owner)) {
    if (name === undefined) write(writer, object);
    else {
      const value = values[name];
      if (value !== undefined && value !== null) write(writer, value);
    }
  }
}

/** @param type whose numbers the fields have. @param owner the schema type that they belong to. */
function writersOf(type: string, owner: string): readonly FieldWriter[] {
  const key = `${type} ${owner}`;
  let found = writers.get(key);
  if (!found) {
    // Last first: the message is written from its end.
    const fields = [...numberedFields(type)].sort(([a], [b]) => b - a);
    found = fields.flatMap(([number, { name, quantity, inline }]): FieldWriter[] => {
      if (inline) return [{ name: undefined, write: inlined(number, inline, owner) }];
      const schema = typeSchema(owner).properties[name];
      return schema ? [{ name, write: fieldWriter(number, schema, quantity) }] : [];
    });
    writers.set(key, found);
  }
  return found;
}

function inlined(number: number, type: string, owner: string): Write {
  return (writer, value) => {
    const before = writer.length;
    writeFields(writer, type, owner, value as object);
    if (writer.length > before) writer.delimit(number, before);
  };
}

function fieldWriter(number: number, schema: FieldSchema, quantity: boolean): Write {
  switch (schema.type) {
    case 'array': {
      const write = fieldWriter(number, schema.items, quantity);
      return (writer, value) => {
        const items = value as readonly unknown[];
        for (let index = items.length - 1; index >= 0; index--) write(writer, items[index]);
      };
    }
    case 'map':
      return mapWriter(number, schema.values, quantity);
    case 'string':
      return stringWriter(number, schema.format, quantity);
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
      const { ref } = schema;
      return delimited(number, (writer, value) => writeFields(writer, ref, ref, value as object));
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

function stringWriter(
  number: number,
  format: 'byte' | 'date-time' | 'micro-time' | undefined,
  quantity: boolean,
): Write {
  if (format === 'byte') {
    return delimited(number, (writer, value) => writer.bytes(Buffer.from(value as string, 'base64')));
  }
  if (format) return delimited(number, writeTime);
  if (quantity) return delimited(number, (writer, value) => writeText(writer, 1, `${value}`));
  return (writer, value) => writeText(writer, number, value as string);
}

/** A list in a map is a message of its own, with the items in its first field. */
function mapWriter(number: number, values: FieldSchema, quantity: boolean): Write {
  const list = values.type === 'array' ? fieldWriter(1, values, false) : undefined;
  const write = list ? delimited(2, list) : fieldWriter(2, values, quantity);
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
