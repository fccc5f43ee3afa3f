// `npm run bench -- NAME [ARGS]` builds and runs bench/NAME.ts; without a name it says which there are.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { outputs, root } from './dist.mjs';
import { build } from './quick.mjs';

const [name, ...args] = process.argv.slice(2);
/** Those that run something; the others are what they share. */
const names = [...outputs().keys()]
  .flatMap((file) => /^bench\/([^/]+)\.ts$/.exec(file)?.slice(1) ?? [])
  .filter((file) => !['measure', 'process'].includes(file));
if (!name || !names.includes(name)) {
  process.stderr.write(
    `Say which: npm run bench -- NAME, one of ${names.join(', ')} (docs/performance.md)\n`,
  );
  process.exit(2);
}
if (!build()) process.exit(1);
const program = join(root, 'dist', 'bench', `${name}.js`);
process.exitCode =
  spawnSync(process.execPath, [program, ...args], { cwd: root, stdio: 'inherit' }).status ?? 1;
