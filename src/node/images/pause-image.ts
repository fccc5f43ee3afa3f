// The image of the pause program: made here, loaded into containerd if it is not there yet. It exists on this
// machine only; no registry serves it.
import { Readable } from 'node:stream';
import { imageArchitecture, imageArchive } from './archive.ts';
import { imageNames, importImages } from './ctr.ts';
import { type PauseArchitecture, pauseProgram } from './pause-program.ts';
import { tarOf } from './tar.ts';

/** The tag rises when the program changes. */
export const PAUSE_IMAGE = 'stead.dev/pause:1';
/** It is a few KB: longer than this, and containerd does not work. */
const IMPORT_LIMIT_MS = 120_000;

/** The archive of the image, as `docker save` would write it. */
export function pauseImageArchive(architecture: PauseArchitecture): Buffer {
  const layer = tarOf([{ name: 'pause', mode: 0o755, content: pauseProgram(architecture) }]);
  return imageArchive(
    {
      name: PAUSE_IMAGE,
      architecture: imageArchitecture(architecture),
      config: { Entrypoint: ['/pause'], WorkingDir: '/', User: '65535:65535' },
    },
    layer,
  );
}

/**
 * Makes sure that containerd has the pause image. Idempotent.
 * @throws Error on an architecture that stead has no pause program for.
 */
export async function ensurePauseImage(socket: string, architecture: string = process.arch): Promise<void> {
  if (architecture !== 'x64' && architecture !== 'arm64') {
    throw new Error(`stead runs containers on x64 and arm64, not on ${architecture}`);
  }
  if ((await imageNames(socket)).has(PAUSE_IMAGE)) return;
  await importImages(
    socket,
    Readable.from([pauseImageArchive(architecture)]),
    AbortSignal.timeout(IMPORT_LIMIT_MS),
  );
}
