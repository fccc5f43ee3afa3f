// Brings images from files into containerd: `docker save` archives and OCI layouts, as tar or gzipped tar.
import { constants, createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { errorText } from '../../base/error-text.ts';
import { importImages } from './ctr.ts';
import { filesOfTar } from './tar.ts';

const DOCKER_MANIFEST = 'manifest.json';
const OCI_INDEX = 'index.json';
/** Manifests are a few hundred bytes an image. */
const MANIFEST_LIMIT_BYTES = 4 * 1024 * 1024;
/** Where an OCI layout says what an image is called in full. */
const NAME_ANNOTATIONS = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];

/**
 * Loads the images in an archive file.
 * @param socket of containerd.
 * @param file a regular file: what has no end would never be loaded.
 * @param signal gives it up: nobody waits for it any more.
 * @returns the images' full names: `docker.io/library/nginx:1.27`.
 * @throws Error of one sentence that names the file and what is wrong with it.
 */
export async function loadImage(socket: string, file: string, signal: AbortSignal): Promise<string[]> {
  try {
    const names = await namesInArchive(file, signal);
    if (names.length === 0) {
      throw new Error('it names no image: save it by its name (`docker save NAME`), not by its id');
    }
    await importImages(socket, await openArchive(file, signal), signal);
    return names;
  } catch (error) {
    const why =
      error instanceof Error && 'code' in error && error.code === 'ENOENT'
        ? 'there is no such file'
        : signal.aborted
          ? 'it was given up'
          : errorText(error);
    throw new Error(`cannot load images from ${file}: ${why}`, { cause: error });
  }
}

/** Opens a tar file or a gzipped one; which, its first bytes say. */
async function openArchive(file: string, signal: AbortSignal): Promise<Readable> {
  // Opening a FIFO would otherwise wait until somebody writes to it.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  const start = Buffer.alloc(4);
  try {
    if (!(await handle.stat()).isFile()) {
      throw new Error('it is not a regular file: save the images to a file, and give that');
    }
    await handle.read(start, 0, 4, 0);
  } finally {
    await handle.close();
  }
  if (start.readUInt32LE(0) === 0xfd2fb528)
    throw new Error('it is compressed with zstd: unpack it first (`zstd -d`)');
  const stream = createReadStream(file, { signal });
  if (start.readUInt16BE(0) !== 0x1f8b) return stream;
  // Its errors are those of the stream that is returned; when that is left, the file is closed.
  return pipeline(stream, createGunzip(), () => {});
}

/** The full names of the images in an archive, from its manifests. */
async function namesInArchive(file: string, signal: AbortSignal): Promise<string[]> {
  const isManifest = (name: string): boolean => name === DOCKER_MANIFEST || name === OCI_INDEX;
  const files = await filesOfTar(await openArchive(file, signal), isManifest, MANIFEST_LIMIT_BYTES);
  if (files.size === 0) throw new Error('it is neither a `docker save` archive nor an OCI layout');
  const docker = files.get(DOCKER_MANIFEST);
  const names = docker ? dockerNames(JSON.parse(docker.toString())) : [];
  const oci = files.get(OCI_INDEX);
  if (oci && names.length === 0) names.push(...ociNames(JSON.parse(oci.toString())));
  return [...new Set(names.map(fullName))];
}

function dockerNames(manifest: Array<{ RepoTags?: string[] | null }>): string[] {
  return manifest.flatMap((image) => image.RepoTags ?? []);
}

function ociNames(index: { manifests?: Array<{ annotations?: Record<string, string> }> }): string[] {
  return (index.manifests ?? []).flatMap(({ annotations }) => {
    const name = NAME_ANNOTATIONS.map((key) => annotations?.[key]).find((value) => value);
    return name ? [name] : [];
  });
}

/** `nginx` → `docker.io/library/nginx:latest`, as containerd and Docker read short names. */
export function fullName(name: string): string {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasDomain = first.includes('.') || first.includes(':') || first === 'localhost';
  const qualified = hasDomain ? name : slash < 0 ? `docker.io/library/${name}` : `docker.io/${name}`;
  const lastPart = qualified.slice(qualified.lastIndexOf('/') + 1);
  return lastPart.includes(':') || lastPart.includes('@') ? qualified : `${qualified}:latest`;
}
