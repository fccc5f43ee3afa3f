// The long run of the packet fuzzer, as a command:
//   npm run fuzz:dns -- --packets 1000000 --seed 1
import { parseArgs } from 'node:util';
import { fuzzDns } from './fuzz.ts';

const { values } = parseArgs({
  options: { packets: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
});
const report = await fuzzDns(Number(values.packets), Number(values.seed));
const residentMB = Math.round(process.memoryUsage.rss() / 2 ** 20);
process.stdout.write(`${JSON.stringify({ ...report, residentMB }, null, 2)}\n`);
process.exitCode = report.problems.length > 0 ? 1 : 0;
