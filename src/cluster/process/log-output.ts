// Where this process's log goes: its standard output. In the background that is a file, on a disk that may be full, and
// a line that cannot be written must not end the process: it is counted, and the count is told when there is room.
import { fstatSync, writeSync } from 'node:fs';

/** @returns what writes whole lines; it never throws for want of space. */
export function standardOutput(): (line: string) => void {
  const { fd } = process.stdout;
  if (!fstatSync(fd).isFile()) return (line) => void process.stdout.write(line);
  // What Node itself says there, warnings for example.
  process.stderr.on('error', () => {});
  return linesTo((text) => writeSync(fd, text));
}

/** @param write writes as much as fits and says how many bytes that was, or throws. */
export function linesTo(write: (text: string) => number): (line: string) => void {
  let lost = 0;
  let cut = false;
  return (line) => {
    const note = lost === 0 ? '' : `(${lost} lines could not be written: the disk was full)\n`;
    const text = `${cut ? '\n' : ''}${note}${line}`;
    try {
      const written = write(text);
      cut = written > 0 && written < Buffer.byteLength(text);
      lost = cut || written === 0 ? lost + 1 : 0;
    } catch {
      lost++;
    }
  };
}
