// Writes an OpenAPI 2 document in protobuf, the form in which kubectl before 1.28 asks for it. What goes where is in
// v2-messages.ts.
import { ProtobufWriter } from '../protobuf/writer.ts';
import type { Json, JsonObject } from './definitions.ts';
import { type Layout, MESSAGES, type Message } from './v2-messages.ts';

/** Within openapi.v2's NamedAny, NamedSchema, …: the name, and the value. */
const NAME = 1;
const VALUE = 2;
/** Within openapi.v2's Any: the value as YAML. */
const YAML = 2;

/**
 * The document as a message openapi.v2.Document.
 * @throws Error for a member that the table of messages does not know, rather than losing it.
 */
export function encodeOpenApiV2(document: JsonObject): Buffer {
  const writer = new ProtobufWriter();
  writeMessage(writer, MESSAGES.Document, document);
  return writer.finish();
}

// The writer goes from the end to the beginning: lists and members are written last first.

function writeMessage(writer: ProtobufWriter, message: Message, value: JsonObject): void {
  for (const [key, member] of Object.entries(value).reverse()) {
    if (key.startsWith('x-') && message.extensions !== undefined) {
      writeNamed(writer, message.extensions, key, 'yaml', member);
      continue;
    }
    const field = Object.hasOwn(message.fields, key) ? message.fields[key] : undefined;
    if (!field) throw new Error(`OpenAPI 2 in protobuf: no field for "${key}"`);
    writeField(writer, field[0], field[1], member);
  }
}

/** A field with its number; a list as a repeated one. */
function writeField(writer: ProtobufWriter, number: number, layout: Layout, value: Json): void {
  if (layout === 'boolean') {
    writer.varint(value === true ? 1 : 0);
    writer.tag(number, 0);
    return;
  }
  if (typeof layout === 'object' && 'each' in layout) {
    if (!Array.isArray(value)) throw unexpected('a list', value);
    for (const item of value.toReversed()) writeField(writer, number, layout.each, item);
    return;
  }
  const before = writer.length;
  writeContent(writer, layout, value);
  writer.delimit(number, before);
}

/** What stands in a field with a length. */
function writeContent(
  writer: ProtobufWriter,
  layout: Exclude<Layout, 'boolean' | { each: Layout }>,
  value: Json,
): void {
  if (layout === 'string') {
    if (typeof value !== 'string') throw unexpected('a string', value);
    writer.string(value);
  } else if (layout === 'yaml') {
    // Every JSON text is YAML.
    writeField(writer, YAML, 'string', `${JSON.stringify(value)}\n`);
  } else if (typeof layout === 'string') {
    writeMessage(writer, MESSAGES[layout], objectOf(value));
  } else if ('named' in layout) {
    for (const [name, member] of Object.entries(objectOf(value)).reverse()) {
      writeNamed(writer, layout.field, name, layout.named, member);
    }
  } else if ('holds' in layout) {
    writeField(writer, layout.field, layout.holds, value);
  } else {
    const chosen = layout.byPlace[String(objectOf(value).in)];
    if (!chosen) throw unexpected('a parameter', value);
    writeContent(writer, chosen, value);
  }
}

function writeNamed(writer: ProtobufWriter, number: number, name: string, layout: Layout, value: Json): void {
  const before = writer.length;
  writeField(writer, VALUE, layout, value);
  writeField(writer, NAME, 'string', name);
  writer.delimit(number, before);
}

function objectOf(value: Json): JsonObject {
  if (typeof value !== 'object' || Array.isArray(value)) throw unexpected('an object', value);
  return value;
}

function unexpected(wanted: string, value: Json): Error {
  return new Error(`OpenAPI 2 in protobuf: ${wanted} was expected, not ${JSON.stringify(value)}`);
}
