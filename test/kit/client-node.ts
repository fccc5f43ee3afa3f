// @kubernetes/client-node, loaded so that it also runs on Node 20: its HTTP library (undici 8) is made for Node 22, and
// wants three functions that Node 20 lacks: one is made up for, two are asked for while it loads and not used here.
import workerThreads from 'node:worker_threads';
import zlib from 'node:zlib';

type Client = typeof import('@kubernetes/client-node');

export async function loadClient(): Promise<Client> {
  if (!Object.hasOwn(zlib, 'createZstdDecompress')) {
    Reflect.set(zlib, 'createZstdDecompress', () => {
      throw new Error('this Node has no zstd');
    });
  }
  if (!Object.hasOwn(workerThreads, 'markAsUncloneable')) {
    Reflect.set(workerThreads, 'markAsUncloneable', () => {});
  }
  if (!Object.hasOwn(Promise, 'withResolvers')) Reflect.set(Promise, 'withResolvers', withResolvers);
  return import('@kubernetes/client-node');
}

function withResolvers(): object {
  const made: { resolve?: unknown; reject?: unknown } = {};
  const promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return { promise, ...made };
}
