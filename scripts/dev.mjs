// A stead to work on: `npm run dev` runs one over simulated nodes, on a data directory of its own, and starts it again
// whenever its source changes. Arguments go to `stead up`, after these: `npm run dev -- --port 7443 --simulated-nodes 3`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './dist.mjs';
import { build, bundleChanged, translateChanged, watchSources } from './quick.mjs';

const CLI = join('dist', 'bin', 'stead.js');
const dataDirectory = join(root, 'node_modules', '.cache', 'stead', 'dev');
const up = [
  ...['up', '--foreground', '--runtime', 'simulated', '--log-level', 'debug'],
  ...['--data-dir', dataDirectory, ...process.argv.slice(2)],
];

function start() {
  const child = spawn(process.execPath, ['--enable-source-maps', CLI, ...up], {
    cwd: root,
    stdio: 'inherit',
  });
  child.once('exit', (code) => {
    if (code !== 0 && code !== null)
      process.stdout.write('stead has ended; the next change starts it again.\n');
  });
  return child;
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

mkdirSync(dataDirectory, { recursive: true });
if (!build()) process.exit(1);
process.stdout.write(`export KUBECONFIG=${join(dataDirectory, 'kubeconfig')}\n`);
let child = start();
// The child has the terminal's signals, too: when it has ended in order, so does this.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end(child).then(() => process.exit()));
watchSources(async () => {
  if (translateChanged().every((source) => !source.startsWith('src/') || source.endsWith('.test.ts'))) return;
  await bundleChanged();
  await end(child);
  child = start();
  build();
});
