// A watch as a stream of JSON lines. The line of an event that many watchers get is made once; what comes in one
// turn of the loop goes out in one write; the watcher's own backlog is what bounds a slow client.
import type { KubeObject } from '../../api/objects.ts';
import type { ResourceDefinition } from '../../api/resource.ts';
import { encodeObject } from '../codec.ts';
import type { WatchEvent, WatchStream } from '../request.ts';
import type { Accepted } from './accept.ts';
import { encodeOne } from './encode.ts';
import type { Exchange } from './exchange.ts';
import { JSON_TYPE } from './respond.ts';
import type { TableOptions } from './table.ts';

const frames = new WeakMap<WatchEvent, Buffer>();

/** Sends the events until the watch ends or the client is gone. */
export async function sendWatch(
  exchange: Exchange,
  resource: ResourceDefinition,
  stream: WatchStream,
  accepted: Accepted,
  options: () => TableOptions,
): Promise<void> {
  exchange.start(200, { 'content-type': JSON_TYPE, 'cache-control': 'no-cache, private' });
  const encode = frameEncoder(resource, accepted, options);
  for (;;) {
    const events = await stream.next();
    if (!events || exchange.signal.aborted) break;
    await exchange.write(Buffer.concat(events.map(encode)));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  stream.stop();
  exchange.end();
}

function frameEncoder(
  resource: ResourceDefinition,
  accepted: Accepted,
  options: () => TableOptions,
): (event: WatchEvent) => Buffer {
  if (accepted.shape === 'object') return plainFrame;
  let first = true;
  return (event) => {
    // A Status has a metadata of its own kind; encodeOne leaves it as it is.
    const object = event.object as KubeObject;
    const bytes = encodeOne(resource, object, { ...accepted, format: 'json' }, () => ({
      ...options(),
      withoutColumns: !first,
    }));
    first = false;
    return frame(event.type, bytes);
  };
}

function plainFrame(event: WatchEvent): Buffer {
  let bytes = frames.get(event);
  if (!bytes) {
    bytes = frame(event.type, encodeObject(event.object));
    frames.set(event, bytes);
  }
  return bytes;
}

function frame(type: string, object: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, Buffer.from('}\n')]);
}
