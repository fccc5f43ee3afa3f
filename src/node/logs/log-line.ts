// One line of a container log as CRI writes it: `<time> <stream> <F or P> <content>`. Pure.

export interface LogLine {
  /** As written, RFC 3339 with nanoseconds. */
  time: string;
  stream: 'stdout' | 'stderr';
  /** The line goes on in the next one: no line feed was written yet. */
  partial: boolean;
  content: Buffer;
}

const SPACE = 0x20;

/** Reads a line without its line feed; undefined if it is not one of CRI's. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(SPACE);
  const second = first < 0 ? -1 : line.indexOf(SPACE, first + 1);
  const third = second < 0 ? -1 : line.indexOf(SPACE, second + 1);
  if (third < 0) return undefined;
  const stream = line.toString('latin1', first + 1, second);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  const tags = line.toString('latin1', second + 1, third).split(':');
  return {
    time: line.toString('latin1', 0, first),
    stream,
    partial: tags.includes('P'),
    content: line.subarray(third + 1),
  };
}
