// What becomes of a command whose output nobody reads any more (`stead status | head -1`): it ends, quietly. stead itself,
// in the foreground, goes on.

let outlives = false;

/** To be called once, before anything is written. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (outlives) return;
      if (error.code !== 'EPIPE') throw error;
      process.exit();
    });
  }
}

/** From here on the process has more to do than to be read. */
export function outliveReader(): void {
  outlives = true;
}
