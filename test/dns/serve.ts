// A DNS server in a process of its own, for tests that put it into a network namespace: serve.js ADDRESS POD-RANGE.
// Says `ready` once it answers on port 53, and ends with its input.
import { startDnsServer } from '../../src/network/dns/server.ts';
import { startTestControlPlane } from '../../src/testing/test-control-plane.ts';

const [address = '', podRange = ''] = process.argv.slice(2);
const cluster = await startTestControlPlane();
await startDnsServer(cluster.context, {
  addresses: [address],
  port: 53,
  domain: 'cluster.local',
  forwardTo: async () => [],
  podRanges: podRange ? [podRange] : [],
});
process.stdout.write('ready\n');
process.stdin.resume().on('end', () => process.exit());
