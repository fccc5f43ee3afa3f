// Builds dist/: generated types first, when they are missing or older than what they come from, then what has gone is
// removed, then TypeScript, which looks at what has changed, then the files that are read at run time.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { shipDeclarations } from './declarations.mjs';
import { copy, forgetStateIfIncomplete, markBuilt, outputs, removeLeftovers, root, STATE } from './dist.mjs';

const generated = join(root, 'src', 'api', 'generated', 'schema.json');
const resources = join(root, 'src', 'api', 'resources');
const sources = [
  join(root, 'scripts', 'generate.mjs'),
  join(root, 'package-lock.json'),
  // The folders of the kinds say which types there are.
  ...readdirSync(resources, { recursive: true })
    .filter((name) => name.includes('types'))
    .map((name) => join(resources, name)),
];
/** Runs a program of Node's; what it says is enough, should it fail. */
function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) return;
  // tsc has written what it could, and would not be asked again.
  markBuilt(0);
  process.exit(status ?? 1);
}

if (!existsSync(generated) || sources.some((file) => statSync(file).mtimeMs > statSync(generated).mtimeMs)) {
  run(join('scripts', 'generate.mjs'));
}
const begunAtMs = Date.now();
removeLeftovers();
forgetStateIfIncomplete();
run(join('node_modules', 'typescript', 'bin', 'tsc'), '-p', '.', '--incremental', '--tsBuildInfoFile', STATE);
copy([...outputs().keys()]);
shipDeclarations();

// `npx stead` runs it by itself; npm sees to that only the first time that it meets a folder.
chmodSync(join(root, 'dist', 'src', 'cli', 'main.js'), 0o755);
markBuilt(begunAtMs);
