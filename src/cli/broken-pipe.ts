// What becomes of a command whose output nobody reads any more (`stead status | head -1`): it ends, quietly. And of
// one whose output cannot be written: it says so. stead itself, in the foreground, goes on.

let outlives = false;

/** To be called once, before anything is written. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (outlives) return;
      if (error.code === 'EPIPE') process.exit();
      if (stream === process.stdout) process.stderr.write(`stead: ${whyNotWritten(error)}\n`);
      process.exit(1);
    });
  }
}

function whyNotWritten(error: NodeJS.ErrnoException): string {
  const why = error.code === 'ENOSPC' ? 'there is no space left where it goes' : error.message;
  return `The output cannot be written: ${why}.`;
}

/** From here on the process has more to do than to be read. */
export function outliveReader(): void {
  outlives = true;
}
