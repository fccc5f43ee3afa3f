// For tests: somebody who swaps a directory for a link to another place as fast as can be, in a thread of its own.
import { Worker } from 'node:worker_threads';

const SWAP = `
const { renameSync, workerData } = { ...require('node:fs'), ...require('node:worker_threads') };
const { parentPort } = require('node:worker_threads');
const { directory, goOn } = workerData;
const [x, real, link] = ['x', 'real', 'link'].map((name) => directory + '/' + name);
let made = 0;
const running = new Int32Array(goOn);
parentPort.postMessage('swapping');
while (Atomics.load(running, 0) === 1) {
  try {
    renameSync(link, x);
    renameSync(x, link);
    renameSync(real, x);
    renameSync(x, real);
  } catch {
    // Somebody made x meanwhile: it is theirs, out of the way. (Removed, it could not be mounted any more.)
    try { renameSync(x, directory + '/made-' + made++); } catch {}
  }
}
`;

/**
 * `directory/x` is, in turn, the directory `real`, the link `link`, or nothing at all. Both must be there.
 * @returns what ends it.
 */
export async function startSwapper(directory: string): Promise<() => Promise<void>> {
  const goOn = new SharedArrayBuffer(4);
  const running = new Int32Array(goOn);
  Atomics.store(running, 0, 1);
  const worker = new Worker(SWAP, { eval: true, workerData: { directory, goOn } });
  // A test that fails before it ends this does not go on for ever.
  worker.unref();
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  return async () => {
    worker.ref();
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    Atomics.store(running, 0, 0);
    await ended;
  };
}
