// The tar format (POSIX ustar), as far as image archives need it: headers to write, and a reader that hands out
// small files and skips large ones.

const BLOCK = 512;

export interface TarEntry {
  /** At most 100 bytes. */
  name: string;
  type: 'file' | 'directory';
  mode: number;
  size: number;
}

/** The header block of an entry. Owner root, time 0: equal content gives equal archives. */
export function tarHeader(entry: TarEntry): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, length: number): void => {
    header.write(value.toString(8).padStart(length - 1, '0'), offset, 'latin1');
  };
  header.write(entry.name, 0, 100, 'utf8');
  octal(entry.mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(entry.size, 124, 12);
  octal(0, 136, 12);
  header.fill(' ', 148, 156); // the checksum is taken with spaces in its own place
  header.write(entry.type === 'directory' ? '5' : '0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** What fills an entry's last block. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** What ends an archive. */
export const TAR_END = Buffer.alloc(2 * BLOCK);

/** A whole small archive in memory. */
export function tarOf(files: ReadonlyArray<{ name: string; mode: number; content: Buffer }>): Buffer {
  const parts = files.flatMap(({ name, mode, content }) => [
    tarHeader({ name, type: 'file', mode, size: content.length }),
    content,
    tarPadding(content.length),
  ]);
  return Buffer.concat([...parts, TAR_END]);
}

/**
 * Reads an archive as it streams by and returns the content of the files that are wanted, by name.
 * @param limitBytes a wanted file larger than this is an error.
 * @throws Error when the stream is not a tar archive.
 */
export async function filesOfTar(
  stream: AsyncIterable<Buffer>,
  wanted: (name: string) => boolean,
  limitBytes: number,
): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  let pending: Buffer = Buffer.alloc(0);
  let skip = 0;
  let emptyBlocks = 0;
  let current: { name: string; size: number } | undefined;
  for await (const chunk of stream) {
    let rest = chunk;
    if (skip > 0) {
      const skipped = Math.min(skip, rest.length);
      skip -= skipped;
      rest = rest.subarray(skipped);
    }
    pending = pending.length === 0 ? rest : Buffer.concat([pending, rest]);
    while (skip === 0) {
      if (!current) {
        if (pending.length < BLOCK) break;
        const header = pending.subarray(0, BLOCK);
        pending = pending.subarray(BLOCK);
        // Two of these end an archive; whatever follows them is not part of it.
        if (header.every((byte) => byte === 0)) {
          if (++emptyBlocks === 2) return files;
          continue;
        }
        emptyBlocks = 0;
        const entry = readHeader(header);
        if (wanted(entry.name)) {
          if (entry.size > limitBytes)
            throw new Error(`${entry.name} in it is larger than ${limitBytes} bytes`);
          current = entry;
        } else {
          const length = entry.size + tarPadding(entry.size).length;
          const skipped = Math.min(length, pending.length);
          pending = pending.subarray(skipped);
          skip = length - skipped;
        }
      } else {
        const length = current.size + tarPadding(current.size).length;
        if (pending.length < length) break;
        files.set(current.name, Buffer.from(pending.subarray(0, current.size)));
        pending = pending.subarray(length);
        current = undefined;
      }
    }
  }
  return files;
}

function readHeader(header: Buffer): { name: string; size: number } {
  if (header.toString('latin1', 257, 262) !== 'ustar') throw new Error('it is not a tar archive');
  const text = (from: number, to: number): string => header.toString('utf8', from, to).split('\0')[0] ?? '';
  const size = Number.parseInt(text(124, 136).trim() || '0', 8);
  if (!Number.isSafeInteger(size) || size < 0)
    throw new Error('it is not a tar archive that can be read: an entry has no size');
  const prefix = text(345, 500);
  return { name: (prefix ? `${prefix}/` : '') + text(0, 100).replace(/^\.\//, ''), size };
}
