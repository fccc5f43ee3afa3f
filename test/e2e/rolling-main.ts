// `npm run rolling-traffic -- UPDATES REQUESTS`: rolling updates under traffic, and what each client has met. Ends with 1
// if a request was lost.
import { noContainers } from '../kit/stead.ts';
import { rollUnderTraffic } from './rolling-traffic.ts';

if (noContainers) {
  process.stderr.write(`${noContainers}\n`);
  process.exit(2);
}
const [updates = 3, requests = 10_000] = process.argv.slice(2).map(Number);
const met = await rollUnderTraffic(updates, requests);
for (const { asked, client, failed, retried } of met) {
  const again = Object.entries(retried).map(([why, times]) => `${times} × ${why}`);
  process.stdout.write(
    `${client}: ${asked} asked, tried again ${again.join(', ') || '0'}, lost ${failed.length}\n`,
  );
  for (const both of failed.slice(0, 10)) process.stdout.write(`    ${both}\n`);
}
if (met.some(({ failed }) => failed.length > 0)) process.exitCode = 1;
