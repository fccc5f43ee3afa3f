// The simulator by hand: `node dist/src/testing/simulator/run.js --seeds 10000 --from 1` runs many seeds, and says of
// each that fails which rule was broken and how to replay it; `--seeds 1 --from 4711 --trace` replays one, and shows all
// that happens in it.
import { parseArgs } from 'node:util';
import { simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
  },
});
const count = Number(values.seeds);
const from = Number(values.from);
if (!Number.isInteger(count) || !Number.isInteger(from) || count < 1) {
  throw new Error('--seeds and --from must be whole numbers, and --seeds at least 1');
}

const write = (line: string): void => void process.stdout.write(`${line}\n`);
const startedAt = performance.now();
let failed = 0;
let virtualMs = 0;
for (let seed = from; seed < from + count; seed++) {
  const result = await simulate(seed, values.trace ? { print: write } : {});
  virtualMs += result.virtualMs;
  if (result.failure) {
    failed++;
    write(
      `seed ${seed}: ${result.failure}; replay: node ${process.argv[1]} --seeds 1 --from ${seed} --trace`,
    );
  }
}
const seconds = (performance.now() - startedAt) / 1000;
const hours = (virtualMs / 3600_000).toFixed(1);
write(`${count} seeds from ${from}: ${hours} h of virtual time in ${seconds.toFixed(1)} s, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
