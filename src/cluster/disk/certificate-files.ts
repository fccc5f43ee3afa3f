// How certificates and keys lie on disk: whole or not at all, keys for their owner alone, and a pair only if it is one.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyPair } from './x509.ts';

/** Writes a file so that a reader finds the old one or the new one. */
export async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  await writeFile(`${file}.new`, text, { mode, flush: true });
  await rename(`${file}.new`, file);
}

/** Writes `<name>.key` and `<name>.crt`. */
export async function writePair(directory: string, name: string, pair: KeyPair): Promise<void> {
  await writeWhole(join(directory, `${name}.key`), pair.key, 0o600);
  await writeWhole(join(directory, `${name}.crt`), pair.cert, 0o644);
}

/** Undefined if one is missing, or they do not belong together: somebody was cut off between the two. */
export async function readPair(directory: string, name: string): Promise<KeyPair | undefined> {
  const [cert, key] = await Promise.all([
    readText(join(directory, `${name}.crt`)),
    readText(join(directory, `${name}.key`)),
  ]);
  if (cert === undefined || key === undefined) return undefined;
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)) ? { cert, key } : undefined;
  } catch {
    return undefined;
  }
}

/** The text of a file; undefined if it is not there. */
export async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** When a certificate (of several, the first) ends, ms since the epoch. */
export const endOf = (pem: string): number => Date.parse(new X509Certificate(pem).validTo);
