// Some tests, at once: `npm run test:one -- PATH…` runs the test files whose path contains one of the words, with what has
// changed translated and not checked. `npm run test:watch -- [PATH…]` does so again after every change, without a path
// for the folders in which something has changed, and then says what tsc thinks.
import { spawnSync } from 'node:child_process';
import { dirname, join, relative } from 'node:path';
import { outputs, root } from './dist.mjs';
import { build, bundleChanged, translateChanged, watchSources } from './quick.mjs';

const watching = process.argv.includes('--watch');
const words = process.argv
  .slice(2)
  .filter((word) => word !== '--watch')
  // However the shell completes it: from the root, absolute, or the compiled file.
  .map((word) => (word.startsWith('/') ? relative(root, word) : word.replace(/^\.\//, '')))
  .map((word) => word.replace(/^dist\//, '').replace(/\.js$/, '.ts'));

const testFiles = () => [...outputs().keys()].filter((source) => source.endsWith('.test.ts'));

/** Test files that are meant. @param changed what has just been edited. */
function chosen(changed) {
  if (words.length > 0) return testFiles().filter((file) => words.some((word) => file.includes(word)));
  const folders = new Set(changed.map((file) => dirname(file)));
  return testFiles().filter((file) => folders.has(dirname(file)));
}

async function runTests(files) {
  // Those of a room look at its modules; the others start the command.
  if (files.some((file) => !file.startsWith('src/'))) await bundleChanged();
  const compiled = files.map((file) => join('dist', file.replace(/ts$/, 'js')));
  return spawnSync(process.execPath, ['--test', ...compiled], { cwd: root, stdio: 'inherit' }).status;
}

if (words.length === 0 && !watching) {
  process.stderr.write('Say which: npm run test:one -- src/scheduler/plan.test.ts (or a part of the path)\n');
  process.exit(2);
}
const first = chosen(translateChanged());
if (words.length > 0 && first.length === 0) {
  process.stderr.write(`No test file's path contains ${words.join(' or ')}.\n`);
  process.exit(2);
}
if (first.length > 0) process.exitCode = await runTests(first);
if (watching) {
  process.stdout.write('Waiting for changes.\n');
  watchSources(async () => {
    const files = chosen(translateChanged());
    if (files.length > 0) await runTests(files);
    if (build()) process.stdout.write('The types are sound. Waiting for changes.\n');
  });
}
