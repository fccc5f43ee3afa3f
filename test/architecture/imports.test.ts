// Holds the floors of the house: a room imports from floors below it, never from above or beside. Tests may import
// what they like; everything else, types included, may not.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { importsOf, isTest, sourceFiles } from './source.ts';

/** Rooms by floor, from the ground up. Controllers are a room each. */
const FLOORS: readonly (readonly string[])[] = [
  ['base', 'wire'],
  ['api'],
  ['store'],
  ['apiserver'],
  ['client'],
  ['controllers', 'scheduler', 'node', 'network', 'storage', 'why'],
  ['cli', 'cluster', 'testing'],
];
/** What the floor of the controllers may know: that is why it runs against any Kubernetes, and in the simulator. */
const CONTROLLERS_KNOW = ['base', 'wire', 'api', 'client'];
/** The decisions of its neighbours that `why/` makes once more to explain them. */
const WHY_ASKS: readonly string[] = [
  'src/controllers/statefulset/identity.ts',
  'src/controllers/statefulset/observation.ts',
  'src/controllers/statefulset/ordinals.ts',
  'src/controllers/statefulset/plan.ts',
  'src/controllers/statefulset/recovery.ts',
  'src/scheduler/cluster-state.ts',
  'src/scheduler/filters.ts',
  'src/scheduler/objection.ts',
  'src/scheduler/volumes.ts',
  'src/storage/provision-plan.ts',
];
/** Within the top floor, the CLI and the test kit stand on the cluster. */
const ARROWS = new Set(['cli -> cluster', 'testing -> cluster']);

const floorOf = (room: string): number => FLOORS.findIndex((rooms) => rooms.includes(room));

/**
 * `src/controllers/garbage/plan.ts` → room `controllers`, apartment `controllers/garbage`. Files that stand in
 * `controllers/` itself are the hall, which all apartments share.
 */
function placeOf(file: string): { room: string; apartment: string } {
  const [room = '', second, third] = file.split('/').slice(1);
  return { room, apartment: room === 'controllers' && third !== undefined ? `${room}/${second}` : room };
}

function violation(from: string, to: string): string | undefined {
  const here = placeOf(from);
  const there = placeOf(to);
  if (here.apartment === there.apartment) return undefined;
  if (there.apartment === here.room) return undefined;
  const where = `${from} imports ${to}`;
  if (floorOf(here.room) < 0) return `${where}: ${here.room} stands on no floor`;
  if (floorOf(there.room) < 0) return `${where}: ${there.room} stands on no floor`;
  if (ARROWS.has(`${here.room} -> ${there.room}`)) return undefined;
  if (here.room === 'why' && WHY_ASKS.includes(to)) return undefined;
  if (floorOf(there.room) >= floorOf(here.room)) return `${where}: not a floor below`;
  if (floorOf(here.room) === floorOf('controllers') && !CONTROLLERS_KNOW.includes(there.room))
    return `${where}: past the client`;
  return undefined;
}

describe('import directions', () => {
  const files = sourceFiles('src').filter((file) => !isTest(file));

  it('finds the source', () => {
    assert.ok(files.length > 50, `only ${files.length} files`);
    assert.ok(files.some((file) => importsOf(file).length > 0));
  });

  it('go down only', () => {
    const violations = files.flatMap((file) =>
      importsOf(file).flatMap(({ from }) => violation(file, from) ?? []),
    );
    assert.deepEqual(violations, []);
  });

  it('let why/ ask who only decides', () => {
    const asked = new Set(
      files
        .filter((file) => file.startsWith('src/why/'))
        .flatMap((file) => importsOf(file).map(({ from }) => from)),
    );
    assert.deepEqual(
      WHY_ASKS.filter((file) => !asked.has(file)),
      [],
      'nothing in why/ asks them',
    );
    const reached = new Set(WHY_ASKS);
    for (const file of reached) {
      for (const { from, typeOnly } of importsOf(file)) if (!typeOnly) reached.add(from);
    }
    assert.deepEqual(
      [...reached].filter((file) => file.startsWith('src/client/')),
      [],
      'who acts needs a client',
    );
  });

  it('are told apart', () => {
    const at = (path: string): string => `src/${path}`;
    assert.equal(violation(at('node/agent.ts'), at('api/objects.ts')), undefined);
    assert.match(violation(at('node/agent.ts'), at('store/store.ts')) ?? '', /past the client/);
    assert.match(violation(at('node/agent.ts'), at('network/dns/server.ts')) ?? '', /not a floor below/);
    assert.match(violation(at('api/objects.ts'), at('store/store.ts')) ?? '', /not a floor below/);
    assert.match(
      violation(at('controllers/garbage/a.ts'), at('controllers/claims/b.ts')) ?? '',
      /not a floor below/,
    );
    assert.equal(violation(at('cli/main.ts'), at('cluster/cluster.ts')), undefined);
    assert.equal(violation(at('cli/main.ts'), at('why/story.ts')), undefined);
    assert.equal(violation(at('why/nodes.ts'), at('scheduler/filters.ts')), undefined);
    assert.match(violation(at('why/nodes.ts'), at('scheduler/controller.ts')) ?? '', /not a floor below/);
    assert.match(violation(at('why/story.ts'), at('cli/main.ts')) ?? '', /not a floor below/);
    assert.match(violation(at('why/story.ts'), at('apiserver/server.ts')) ?? '', /past the client/);
  });
});
