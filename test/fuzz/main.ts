// The long run of the fuzzer, as a command:
//   npm run fuzz -- --requests 100000 --seed 1 [--https]
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    https: { type: 'boolean', default: false },
  },
});
const report = await fuzz(Number(values.requests), Number(values.seed), values.https);
const residentMB = Math.round(process.memoryUsage.rss() / 2 ** 20);
process.stdout.write(`${JSON.stringify({ ...report, residentMB }, null, 2)}\n`);
process.exitCode = report.problems.length > 0 ? 1 : 0;
