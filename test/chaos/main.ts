// `npm run chaos -- ROUNDS [SEED]`: many rounds, with the figures that docs/reliability.md shows.
import { chaos } from './chaos.ts';

const [rounds = '200', seed = `${Date.now() % 1_000_000}`] = process.argv.slice(2);
console.log(`${rounds} rounds, seed ${seed}`);
const report = await chaos(Number(rounds), Number(seed), (line) => console.log(line));
const { lost, doubles, counters, leaks, recoveriesMs, ...counts } = report;
const sorted = recoveriesMs.toSorted((a, b) => a - b);
const quantile = (part: number): number => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0);
console.log(JSON.stringify(counts));
console.log(`from \`stead up\` until the set is whole: median ${quantile(0.5)} ms, most ${quantile(1)} ms`);
for (const [what, faults] of Object.entries({ lost, doubles, counters, leaks })) {
  console.log(`${what}: ${faults.length}`);
  for (const fault of faults) console.log(`  ${fault}`);
}
if (lost.length + doubles.length + counters.length + leaks.length > 0) process.exitCode = 1;
