// What Services cost: their rules on a kernel, and a whole stead as its clients see it. Takes root, nftables and containers.
// `node dist/bench/network.js [rules | real]`: only that part.
import { whyNoMachine } from '../src/network/test-machine.ts';
import { machine } from './measure.ts';
import { measureRealStead } from './network/real.ts';
import { measureRules } from './network/rules.ts';

if (whyNoMachine) {
  process.stdout.write(`${whyNoMachine}\n`);
  process.exit(2);
}
const [part] = process.argv.slice(2);
process.stdout.write(`${machine()}; 1,000 Services of 5 endpoints\n`);
if (part !== 'real') await measureRules();
if (part !== 'rules') await measureRealStead();
