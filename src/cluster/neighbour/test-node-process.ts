// A node process without a machine, for the tests of its neighbour: it lives and dies as a real one, starts as the file
// `behaviour` of its data directory says, and tells in `lives` what becomes of it.
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../process/user-error.ts';
import { runNodeProcess } from './node-process.ts';

/** How the next one starts. */
export type Behaviour = 'works' | 'fails' | 'dies' | 'takes for ever' | 'does not stop';

const unused = (): never => {
  throw new Error('not in this test');
};

runNodeProcess(async ({ paths }, _config, connected) => {
  const tell = (what: string): void => appendFileSync(join(paths.data, 'lives'), `${process.pid} ${what}\n`);
  const behaviour = readFileSync(join(paths.data, 'behaviour'), 'utf8');
  tell('starts');
  if (behaviour === 'fails') throw new UserError('There is no network here.');
  if (behaviour === 'dies') process.exit(7);
  if (behaviour === 'takes for ever') await new Promise(() => setInterval(() => {}, 1000));
  const { nodeName } = await connected;
  tell(`works as ${nodeName}`);
  return {
    describe: () => ({ dns: 'd', podCidr: 'p', services: 's', policies: 'n', volumes: 'v' }),
    streams: { logs: unused, exec: unused, attach: unused, portForward: unused },
    loadImage: unused,
    listImages: async () => [{ names: ['a'], id: 'x', sizeBytes: 1 }],
    ended: new Promise(() => {}),
    async stop() {
      if (behaviour === 'does not stop') throw new Error('a pod does not end');
      tell('stops');
    },
    async close() {
      tell('closes');
    },
  };
});
