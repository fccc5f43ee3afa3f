// An API process that has a neighbour and does nothing else, for tests of what happens when it dies. It is given the data
// directory, and tells its parent when the node works.
import { join } from 'node:path';
import { silentLog } from '../../base/log.ts';
import { pathsOf } from '../disk/paths.ts';
import { systemClock } from '../process/system-clock.ts';
import { Neighbour } from './neighbour.ts';
import { CONFIG, connectionOf } from './test-neighbour.ts';

const neighbour = await Neighbour.prepare({
  paths: pathsOf(process.argv[2] ?? ''),
  config: CONFIG,
  clock: systemClock,
  log: silentLog,
  logLevel: undefined,
  program: join(import.meta.dirname, 'test-node-process.js'),
});
process.send?.('prepared');
await neighbour.begin(connectionOf('node-1'));
process.send?.('begun');
setInterval(() => {}, 60_000);
