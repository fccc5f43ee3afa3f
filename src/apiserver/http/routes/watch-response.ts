// A watch as a stream of JSON lines, or of frames in protobuf. The line of an event that many watchers get is made once; what comes in one
// turn of the loop goes out in one write; the watcher's own backlog is what bounds a slow client.

import type { WatchEvent, WatchStream } from '../../../api/list-watch.ts';
import type { KubeObject } from '../../../api/objects.ts';
import type { ResourceDefinition } from '../../../api/resource.ts';
import type { Schema } from '../../../api/schema/schema.ts';
import { othersTurn } from '../../../base/others-turn.ts';
import { encodeProtobufFrame } from '../../protobuf/encode.ts';
import { type Accepted, PROTOBUF_TYPE } from '../forms/accept.ts';
import { encodeOne, encodeValue } from '../forms/encode.ts';
import { JSON_TYPE } from '../forms/respond.ts';
import { bookmarkTable, type TableOptions } from '../forms/table.ts';
import type { Exchange } from '../port/exchange.ts';

/** What many watchers are sent alike, by format. */
const frames = {
  json: new WeakMap<WatchEvent, Buffer>(),
  protobuf: new WeakMap<WatchEvent, Buffer>(),
};

/** Sends the events until the watch ends or the client is gone. */
export async function sendWatch(
  exchange: Exchange,
  schema: Schema,
  resource: ResourceDefinition,
  stream: WatchStream,
  accepted: Accepted,
  options: () => TableOptions,
  onSent: (events: number) => void,
): Promise<void> {
  const contentType = accepted.format === 'protobuf' ? `${PROTOBUF_TYPE};stream=watch` : JSON_TYPE;
  exchange.start(200, { 'content-type': contentType, 'cache-control': 'no-cache, private' });
  const encode = frameEncoder(schema, resource, accepted, options);
  for (;;) {
    const events = await stream.next();
    if (!events || exchange.signal.aborted) break;
    await exchange.write(Buffer.concat(events.map(encode)));
    onSent(events.length);
    await othersTurn();
  }
  stream.stop();
  exchange.end();
}

function frameEncoder(
  schema: Schema,
  resource: ResourceDefinition,
  accepted: Accepted,
  options: () => TableOptions,
): (event: WatchEvent) => Buffer {
  // YAML cannot be cut into events, and no event is a list.
  const format = accepted.format === 'yaml' ? 'json' : accepted.format;
  const shape = accepted.shape === 'PartialObjectMetadataList' ? 'object' : accepted.shape;
  const encode = (event: WatchEvent, tableOptions: () => TableOptions): Buffer => {
    // A Status has a metadata of its own kind; encodeOne leaves it as it is.
    const object = event.object as KubeObject;
    const bytes =
      event.type === 'BOOKMARK' && shape === 'Table'
        ? encodeValue(bookmarkTable(resource, object, tableOptions()), 'json')
        : encodeOne(schema, resource, object, { format, shape }, tableOptions);
    return format === 'json' ? line(event.type, bytes) : encodeProtobufFrame(event.type, bytes);
  };
  if (shape === 'object') {
    const made = frames[format];
    return (event) => {
      let bytes = made.get(event);
      if (!bytes) {
        bytes = encode(event, options);
        made.set(event, bytes);
      }
      return bytes;
    };
  }
  let first = true;
  return (event) => {
    const bytes = encode(event, () => ({ ...options(), withoutColumns: !first }));
    first = false;
    return bytes;
  };
}

const NEWLINE = 0x0a;

function line(type: string, object: Buffer): Buffer {
  const end = object.at(-1) === NEWLINE ? object.length - 1 : object.length;
  return Buffer.concat([
    Buffer.from(`{"type":"${type}","object":`),
    object.subarray(0, end),
    Buffer.from('}\n'),
  ]);
}
