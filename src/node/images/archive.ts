// Makes image archives in the form of `docker save`: one layer, a configuration, a manifest. containerd, Docker and
// Podman import them. Layers are streamed from file to file; they may be large.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { TAR_END, tarHeader, tarPadding } from './tar.ts';

/** The part of an image's configuration that people write (OCI image-spec, `config`), with its own names. */
export interface ImageConfig {
  Entrypoint?: string[];
  Cmd?: string[];
  Env?: string[];
  WorkingDir?: string;
  User?: string;
  ExposedPorts?: Record<string, object>;
  StopSignal?: string;
  Labels?: Record<string, string>;
}

export interface ImageDescription {
  /** With registry and tag: `stead.dev/pause:1`. */
  name: string;
  /** `amd64`, `arm64`: Go's names. */
  architecture: string;
  config: ImageConfig;
}

/** Go's name for what Node calls `x64`; the others are the same. */
export function imageArchitecture(nodeArchitecture: string): string {
  return nodeArchitecture === 'x64' ? 'amd64' : nodeArchitecture;
}

/** The two small files beside the layer. */
function documents(image: ImageDescription, layerDigest: string): { config: Buffer; manifest: Buffer } {
  const config = Buffer.from(
    JSON.stringify({
      created: '1970-01-01T00:00:00Z',
      architecture: image.architecture,
      os: 'linux',
      config: image.config,
      rootfs: { type: 'layers', diff_ids: [`sha256:${layerDigest}`] },
      history: [{ created: '1970-01-01T00:00:00Z', created_by: 'stead' }],
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify([{ Config: 'config.json', RepoTags: [image.name], Layers: ['layer.tar'] }]),
  );
  return { config, manifest };
}

/**
 * Wraps a root file system (a tar file, not compressed) into an image archive. The archive appears under its name
 * only when it is complete.
 */
export async function writeImageArchive(
  image: ImageDescription,
  layerFile: string,
  archiveFile: string,
): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(layerFile)) hash.update(chunk);
  const size = (await stat(layerFile)).size;
  const { config, manifest } = documents(image, hash.digest('hex'));
  const unfinished = `${archiveFile}.part`;
  try {
    await pipeline(async function* () {
      yield* smallFile('config.json', config);
      yield tarHeader({ name: 'layer.tar', type: 'file', mode: 0o644, size });
      yield* createReadStream(layerFile);
      yield tarPadding(size);
      yield* smallFile('manifest.json', manifest);
      yield TAR_END;
    }, createWriteStream(unfinished));
    await rename(unfinished, archiveFile);
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** The same for a layer in memory. */
export function imageArchive(image: ImageDescription, layer: Buffer): Buffer {
  const { config, manifest } = documents(image, createHash('sha256').update(layer).digest('hex'));
  return Buffer.concat([
    ...smallFile('config.json', config),
    ...smallFile('layer.tar', layer),
    ...smallFile('manifest.json', manifest),
    TAR_END,
  ]);
}

function smallFile(name: string, content: Buffer): Buffer[] {
  return [
    tarHeader({ name, type: 'file', mode: 0o644, size: content.length }),
    content,
    tarPadding(content.length),
  ];
}
