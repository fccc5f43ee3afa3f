// Builds dist/: generated types first, when they are missing or older than what they come from, then what has gone is
// removed, then TypeScript, which looks at what has changed, then the files that are read at run time, then what is put together of them.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bundle, isBundleStale } from './bundle.mjs';
import { shipDeclarations } from './declarations.mjs';
import { copy, forgetStateIfIncomplete, markBuilt, outputs, removeLeftovers, root, STATE } from './dist.mjs';

const resources = join(root, 'src', 'api', 'resources');
const cri = join(root, 'src', 'node', 'cri');
const filesOf = (folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name));
/** What is generated, from what beside the script and the packages. */
const generators = [
  {
    script: join('scripts', 'generate.mjs'),
    made: join(root, 'src', 'api', 'generated', 'schema.json'),
    // The folders of the kinds say which types there are.
    sources: filesOf(resources).filter((file) => file.includes('types')),
  },
  {
    script: join('scripts', 'generate-cri.mjs'),
    made: join(cri, 'generated', 'cri.ts'),
    sources: filesOf(join(cri, 'protos')),
  },
];
/** Runs a program of Node's; what it says is enough, should it fail. */
function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) return;
  // tsc has written what it could, and would not be asked again.
  markBuilt(0);
  process.exit(status ?? 1);
}

for (const { script, made, sources } of generators) {
  const from = [join(root, script), join(root, 'package-lock.json'), ...sources];
  const madeAtMs = existsSync(made) ? statSync(made).mtimeMs : 0;
  if (from.some((file) => statSync(file).mtimeMs > madeAtMs)) run(script);
}
const begunAtMs = Date.now();
removeLeftovers();
forgetStateIfIncomplete();
run(join('node_modules', 'typescript', 'bin', 'tsc'), '-p', '.', '--incremental', '--tsBuildInfoFile', STATE);
copy([...outputs().keys()]);
shipDeclarations();
if (isBundleStale()) await bundle();
markBuilt(begunAtMs);
