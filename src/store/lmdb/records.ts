// The bytes of the two tables on disk. `log` holds one record per revision: what was written, and the revision
// before it of the same key, so that a key's history is a chain. `keys` holds the newest revision of each key.

/** One write, as the log keeps it. */
export interface LogRecord {
  type: 'put' | 'delete';
  key: string;
  /** The revision of the same key before this one; 0 if there was none. A deletion is one, too. */
  previous: number;
  createRevision: number;
  /** Empty for a deletion. */
  value: Uint8Array;
}

/** What the key table says of a key. */
export interface KeyRecord {
  revision: number;
  createRevision: number;
  deleted: boolean;
}

const PUT = 1;
const DELETE = 2;
/** type, previous, createRevision, key length. */
const LOG_HEADER = 1 + 8 + 8 + 2;
const KEY_RECORD = 1 + 8 + 8;

export function encodeLogRecord(record: LogRecord): Buffer {
  const keyLength = Buffer.byteLength(record.key);
  const bytes = Buffer.allocUnsafe(LOG_HEADER + keyLength + record.value.length);
  bytes.writeUInt8(record.type === 'put' ? PUT : DELETE, 0);
  bytes.writeDoubleBE(record.previous, 1);
  bytes.writeDoubleBE(record.createRevision, 9);
  bytes.writeUInt16BE(keyLength, 17);
  bytes.write(record.key, LOG_HEADER);
  bytes.set(record.value, LOG_HEADER + keyLength);
  return bytes;
}

/** The value is a view into `bytes`, not a copy. */
export function decodeLogRecord(bytes: Buffer): LogRecord {
  const keyLength = bytes.readUInt16BE(17);
  return {
    type: bytes.readUInt8(0) === PUT ? 'put' : 'delete',
    previous: bytes.readDoubleBE(1),
    createRevision: bytes.readDoubleBE(9),
    key: bytes.toString('utf8', LOG_HEADER, LOG_HEADER + keyLength),
    value: bytes.subarray(LOG_HEADER + keyLength),
  };
}

export function encodeKeyRecord(record: KeyRecord): Buffer {
  const bytes = Buffer.allocUnsafe(KEY_RECORD);
  bytes.writeUInt8(record.deleted ? DELETE : PUT, 0);
  bytes.writeDoubleBE(record.revision, 1);
  bytes.writeDoubleBE(record.createRevision, 9);
  return bytes;
}

export function decodeKeyRecord(bytes: Buffer): KeyRecord {
  return {
    deleted: bytes.readUInt8(0) === DELETE,
    revision: bytes.readDoubleBE(1),
    createRevision: bytes.readDoubleBE(9),
  };
}
