// The images that the tests use, built once from their recipes and kept beside node_modules until a recipe changes.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const cache = join(root, 'node_modules', '.cache', 'stead', 'images');

/** The archive of a recipe in images/, built if it is not there yet. */
export async function ensureImage(recipe: string): Promise<string> {
  const archive = join(cache, `${recipe}-${recipeHash(recipe)}.tar`);
  if (existsSync(archive)) return archive;
  mkdirSync(cache, { recursive: true });
  const unfinished = `${archive}.${process.pid}`;
  const { code, stderr, stdout } = await run(process.execPath, [
    join(root, 'images', 'build.mjs'),
    recipe,
    unfinished,
  ]);
  assert.equal(code, 0, `building ${recipe}: ${stderr}${stdout}`);
  renameSync(unfinished, archive);
  return archive;
}

function recipeHash(recipe: string): string {
  const hash = createHash('sha256');
  const folder = join(root, 'images', recipe);
  for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(join(folder, name)));
  return hash.digest('hex').slice(0, 12);
}
