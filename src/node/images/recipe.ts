// Builds an image from a recipe: a directory that says which Debian packages it is made of, how it is finished, and
// what it runs (images/build.sh). For machines that reach no registry but have their distribution's packages.
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from '../../base/machine-command.ts';
import { runCommand } from '../machine/command.ts';
import { type ImageConfig, imageArchitecture, writeImageArchive } from './archive.ts';

/** Packages may come over a slow line. */
const BUILD_MS = 3600_000;

/** The name of the image that a recipe makes. */
export async function recipeImageName(recipesDirectory: string, recipe: string): Promise<string> {
  return (await readRecipe(recipesDirectory, recipe)).name;
}

async function readRecipe(
  recipesDirectory: string,
  recipe: string,
): Promise<{ name: string; config: ImageConfig }> {
  return JSON.parse(await readFile(join(recipesDirectory, recipe, 'image.json'), 'utf8'));
}

/**
 * Builds a recipe's image archive. Takes some seconds, and downloads what apt has not cached.
 * @param recipesDirectory where `build.sh` and the recipes lie.
 * @param output the archive; there only when it is complete.
 * @throws Error with what failed, in one sentence.
 */
export async function buildImage(recipesDirectory: string, recipe: string, output: string): Promise<void> {
  const image = await readRecipe(recipesDirectory, recipe);
  const layer = `${output}.layer`;
  try {
    await runCommand('sh', [join(recipesDirectory, 'build.sh'), recipe, layer], { timeoutMs: BUILD_MS });
    await writeImageArchive({ ...image, architecture: imageArchitecture(process.arch) }, layer, output);
  } catch (error) {
    const why =
      error instanceof CommandError ? error.stderr.trim().split('\n').slice(-3).join('; ') : undefined;
    throw new Error(`cannot build the image ${image.name}: ${why || String(error)}`, { cause: error });
  } finally {
    await rm(layer, { force: true });
  }
}
