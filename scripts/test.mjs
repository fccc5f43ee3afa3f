// Runs everything that can run on this machine: set-up, lint, import directions (a test), unit tests, and the tests
// with real containers. Says what it skipped and why, and ends with one line that counts. Arguments narrow the run
// to test files whose path contains one of them.
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { root } from './dist.mjs';
import { setUp, step } from './setup.mjs';

const filters = process.argv.slice(2);

/** Set-up and lint; says what went wrong and ends if either fails. */
async function prepare() {
  try {
    const why = await setUp({ tests: true });
    if (filters.length === 0) {
      const biome = join('node_modules', '@biomejs', 'biome', 'bin', 'biome');
      await step('checking format and lint', process.execPath, [biome, 'check', '--error-on-warnings', '.']);
    }
    return why;
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

const whyNoContainers = await prepare();

/** Compiled test files below a folder of dist/. */
function testFiles(folder) {
  const base = join(root, 'dist', folder);
  if (!existsSync(base)) return [];
  return readdirSync(base, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(base, name))
    .filter((file) => filters.length === 0 || filters.some((part) => relative(root, file).includes(part)))
    .sort();
}

const counts = { passed: 0, failed: 0, skipped: 0 };
const skips = [];

async function runAll(files, concurrency) {
  if (files.length === 0) return;
  const stream = run({ files, concurrency });
  const leaf = (data) => data.details?.type !== 'suite' && !files.includes(data.name);
  // A suite that fails because of its tests adds nothing to count; one whose hook failed does.
  const own = (data) => data.details?.error?.failureType !== 'subtestsFailed';
  stream.on('test:pass', (data) => {
    if (data.skip !== undefined) {
      counts.skipped++;
      skips.push(`${data.name}: ${data.skip === true ? 'no reason given' : data.skip}`);
    } else if (leaf(data)) counts.passed++;
  });
  stream.on('test:fail', (data) => {
    if (own(data)) counts.failed++;
  });
  for await (const chunk of stream.compose(new spec())) process.stdout.write(chunk);
}

if (whyNoContainers) process.stdout.write(`Real containers are not tested here: ${whyNoContainers}\n`);
process.env.STEAD_TEST_NO_CONTAINERS = whyNoContainers ?? '';
await runAll(testFiles('src'), 2);
// One after another: they share the machine's bridges, loop devices and cores.
await runAll(testFiles('test'), 1);

if (skips.length > 0) process.stdout.write(`\nSkipped:\n${skips.map((line) => `  ${line}`).join('\n')}\n`);
if (counts.passed + counts.failed === 0) {
  process.stderr.write('no test ran\n');
  process.exitCode = 1;
}
process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
if (counts.failed > 0) process.exitCode = 1;
