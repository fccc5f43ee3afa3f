// Objects as the store keeps them and as clients read them. The stored form is JSON with `metadata` first and
// without what is known anyway (apiVersion, kind, resourceVersion), so that the served form is a splice of bytes and
// not a second serialization. The bytes of a frozen object are made once and shared by every reader.
import type { KubeObject, Stored } from '../api/objects.ts';
import { apiVersionOf, type ResourceDefinition } from '../api/resource.ts';
import { deepFreeze } from '../base/deep-freeze.ts';
import { shareFields } from './patch/shared-fields.ts';

/** What is not in the stored form: known anyway, or in front. */
const LEFT_OUT: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);
const METADATA_OPEN = '{"metadata":{';

/** Served bytes, or the stored ones they are to be made of, by object. */
const servedBytes = new WeakMap<object, Buffer>();
const storedBytes = new WeakMap<object, Uint8Array>();
/** What a value was made of, so that a write from here is not parsed again when the store tells of it. */
const writtenObjects = new WeakMap<Uint8Array, KubeObject>();

/** The form in which an object goes into the store. The object must not change afterwards. */
export function encodeStored(object: KubeObject): Buffer {
  const { metadata } = object;
  // Piece by piece: copies of the object without what is left out would be made for every write.
  const meta =
    metadata.resourceVersion === undefined ? metadata : { ...metadata, resourceVersion: undefined };
  let text = `{"metadata":${JSON.stringify(meta)}`;
  for (const [key, part] of Object.entries(object)) {
    if (part !== undefined && !LEFT_OUT.has(key)) text += `,${JSON.stringify(key)}:${JSON.stringify(part)}`;
  }
  text += '}';
  // Kept as long as the object: of Node's pool, where small buffers share their memory, it would keep others' alive.
  const value = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  value.write(text);
  writtenObjects.set(value, object);
  return value;
}

/** Reads what `encodeStored` wrote; not yet frozen, without a resourceVersion. */
export function decodeStored(resource: ResourceDefinition, value: Uint8Array): KubeObject {
  const written = writtenObjects.get(value);
  if (written) return written;
  const object: unknown = JSON.parse(
    Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString(),
  );
  const decoded = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...(object as KubeObject) };
  shareFields(decoded);
  return decoded;
}

/** Gives an object the revision it was written at, freezes it, and remembers the bytes it was stored as. */
export function seal(object: KubeObject, revision: number, value: Uint8Array): Stored {
  const sealed = deepFreeze({
    ...object,
    metadata: { ...object.metadata, resourceVersion: String(revision) },
  }) as Stored;
  storedBytes.set(sealed, value);
  return sealed;
}

/** The same object at another revision: what a watcher is told when an object is gone. */
export function atRevision(object: Stored, revision: number): Stored {
  const value = storedBytes.get(object) ?? encodeStored(object);
  return seal(object, revision, value);
}

/** The JSON bytes that clients get for a frozen object; made once, and then kept in place of the stored ones. */
export function encodeObject(object: object): Buffer {
  let bytes = servedBytes.get(object);
  if (!bytes) {
    bytes = splice(object as KubeObject, storedBytes.get(object));
    if (Object.isFrozen(object)) {
      servedBytes.set(object, bytes);
      storedBytes.delete(object);
    }
  }
  return bytes;
}

function splice(object: KubeObject, stored: Uint8Array | undefined): Buffer {
  if (!stored) return Buffer.from(JSON.stringify(object));
  const head = `{"kind":${JSON.stringify(object.kind)},"apiVersion":${JSON.stringify(object.apiVersion)},"metadata":{"resourceVersion":"${object.metadata.resourceVersion}",`;
  const tail = stored.subarray(METADATA_OPEN.length);
  // Not of the pool either.
  const served = Buffer.allocUnsafeSlow(Buffer.byteLength(head) + tail.length);
  served.set(tail, served.write(head));
  return served;
}

/** A copy of a JSON value that may be changed. */
export function thawed<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(thawed) as T;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, thawed(child)])) as T;
}
