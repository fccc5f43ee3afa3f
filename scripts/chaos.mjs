// Sets up, then runs rounds of kill -9 on real containers: `npm run chaos -- ROUNDS [SEED]`. A round takes some five
// seconds; what it checks is in test/chaos/chaos.ts, and the figures go to docs/reliability.md.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './dist.mjs';
import { setUp } from './setup.mjs';

const why = await setUp();
if (why) {
  process.stderr.write(`Real containers cannot run here: ${why}\n`);
  process.exitCode = 1;
} else {
  const main = join(root, 'dist', 'test', 'chaos', 'main.js');
  process.exitCode =
    spawnSync(process.execPath, [main, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;
}
