// stead image load and stead image list: the images that pods can use without pulling.
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathsOf } from '../../cluster/disk/paths.ts';
import { call, NotRunningError } from '../../cluster/process/control-socket.ts';
import { UserError } from '../../cluster/process/user-error.ts';

interface ImageOptions {
  dataDir: string;
  output: 'text' | 'json';
}

interface ListedImage {
  names: string[];
  id: string;
  sizeBytes: number;
}

export async function loadImage(file: string, options: ImageOptions): Promise<void> {
  const path = resolve(file);
  await access(path).catch(() => {
    throw new UserError(
      `The image archive ${path} cannot be read: give the path of a file that \`docker save\` or an OCI tool wrote.`,
    );
  });
  const names: string[] = JSON.parse(await ask(options, 'POST', `/images?file=${encodeURIComponent(path)}`));
  if (options.output === 'json') process.stdout.write(`${JSON.stringify({ loaded: names })}\n`);
  else for (const name of names) process.stdout.write(`loaded ${name}\n`);
}

export async function listImages(options: ImageOptions): Promise<void> {
  const images: ListedImage[] = JSON.parse(await ask(options, 'GET', '/images'));
  if (options.output === 'json') {
    process.stdout.write(`${JSON.stringify(images)}\n`);
    return;
  }
  for (const { names, id, sizeBytes } of images) {
    const size = `${(sizeBytes / 1024 / 1024).toFixed(1)} MiB`;
    process.stdout.write(`${size.padStart(12)}  ${names.join(', ') || id}\n`);
  }
}

async function ask(options: ImageOptions, method: 'GET' | 'POST', path: string): Promise<string> {
  try {
    return await call(pathsOf(options.dataDir).controlSocket, method, path);
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
    throw new UserError(`stead is not running on ${options.dataDir}: start it with \`stead up\`.`);
  }
}
