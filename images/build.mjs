// Builds an image archive from a recipe here: node images/build.mjs RECIPE OUT.tar
import { fileURLToPath } from 'node:url';

const [recipe, output] = process.argv.slice(2);
if (!recipe || !output) {
  console.error('usage: node images/build.mjs RECIPE OUT.tar');
  process.exit(2);
}
const { buildImage } = await import('../dist/src/node/images/recipe.js');
await buildImage(fileURLToPath(new URL('.', import.meta.url)), recipe, output);
