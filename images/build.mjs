// Builds an image archive from a recipe here: node images/build.mjs RECIPE OUT.tar
// A recipe is a directory that says which Debian packages the image is made of, how it is finished, and what it runs
// (build.sh). For machines that reach no registry but have their distribution's packages.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

const BUILT = '../dist/src';
const { CommandError } = await import(`${BUILT}/base/machine-command.js`);
const { imageArchitecture, writeImageArchive } = await import(`${BUILT}/node/images/archive.js`);
const { runCommand } = await import(`${BUILT}/node/machine/command.js`);

/** Packages may come over a slow line. */
const BUILD_MS = 3600_000;

const [recipe, output] = process.argv.slice(2);
if (!recipe || !output) {
  console.error('usage: node images/build.mjs RECIPE OUT.tar');
  process.exit(2);
}
const here = import.meta.dirname;
const image = JSON.parse(await readFile(join(here, recipe, 'image.json'), 'utf8'));
const layer = `${output}.layer`;
try {
  await runCommand('sh', [join(here, 'build.sh'), recipe, layer], { timeoutMs: BUILD_MS });
  await writeImageArchive({ ...image, architecture: imageArchitecture(process.arch) }, layer, output);
} catch (error) {
  const why = error instanceof CommandError ? error.stderr.trim().split('\n').slice(-3).join('; ') : undefined;
  throw new Error(`cannot build the image ${image.name}: ${why || String(error)}`, { cause: error });
} finally {
  await rm(layer, { force: true });
}
