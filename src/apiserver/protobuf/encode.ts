// Answers in protobuf, which Go clients ask for: objects, lists, metadata alone, Status, and the frames of a watch.
// The message of a frozen object is made once and shared by every reader. Follows apimachinery
// pkg/runtime/serializer/protobuf and the generated.proto files.
import { baseSchema } from '../../api/resources/schema.ts';
import type { StructType } from '../../api/schema/schema.ts';
import { othersTurn } from '../../base/others-turn.ts';
import { writeMessage } from './message-writer.ts';
import { MAGIC } from './wire.ts';
import { ProtobufWriter } from './writer.ts';

const writer = new ProtobufWriter();
/** Of frozen objects; the type of an object never changes. */
const messages = new WeakMap<object, Buffer>();

/** The message of an object, without the envelope that says what it is. */
function messageOf(type: StructType, object: object): Buffer {
  let message = messages.get(object);
  if (!message) {
    try {
      writeMessage(writer, type, object);
    } finally {
      message = writer.finish();
    }
    if (Object.isFrozen(object)) messages.set(object, message);
  }
  return message;
}

/** Objects whose messages are made in one turn of the loop. */
const MADE_AT_ONCE = 250;

/** Makes the messages of many frozen objects, letting others have their turn in between: lists are then quick to write. */
export async function makeMessages(type: StructType, objects: readonly object[]): Promise<void> {
  for (const [index, object] of objects.entries()) {
    if (Object.isFrozen(object)) messageOf(type, object);
    if (index % MADE_AT_ONCE === MADE_AT_ONCE - 1) await othersTurn();
  }
}

/** What every body begins with, up to the message. */
function envelope(apiVersion: string, kind: string, messageLength: number): Buffer {
  writer.varint(messageLength);
  writer.tag(2, 2);
  const typeMeta = writer.length;
  writer.string(kind);
  writer.delimit(2, typeMeta);
  const before = writer.length;
  writer.string(apiVersion);
  writer.delimit(1, before);
  writer.delimit(1, typeMeta);
  writer.bytes(MAGIC);
  return writer.finish();
}

/** An object as a body. @param type its own. */
export function encodeProtobuf(type: StructType, object: { apiVersion?: string; kind?: string }): Buffer {
  const message = messageOf(type, object);
  return Buffer.concat([envelope(object.apiVersion ?? '', object.kind ?? '', message.length), message]);
}

/**
 * A list as a body.
 * @param head what it is, with its ListMeta.
 * @param type of its items.
 */
export function encodeProtobufList(
  head: { apiVersion: string; kind: string; metadata: object },
  type: StructType,
  items: readonly object[],
): Buffer {
  writeMessage(writer, baseSchema().type('ListMeta'), head.metadata);
  writer.delimit(1, 0);
  const chunks = [writer.finish()];
  for (const item of items) {
    const message = messageOf(type, item);
    writer.varint(message.length);
    writer.tag(2, 2);
    chunks.push(writer.finish(), message);
  }
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return Buffer.concat([envelope(head.apiVersion, head.kind, length), ...chunks]);
}

/** One event of a watch, as a frame with its length in front. @param body of the event's object. */
export function encodeProtobufFrame(type: string, body: Buffer): Buffer {
  writer.bytes(body);
  writer.delimit(1, 0);
  writer.delimit(2, 0);
  const before = writer.length;
  writer.string(type);
  writer.delimit(1, before);
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(writer.length);
  writer.bytes(length);
  return writer.finish();
}
