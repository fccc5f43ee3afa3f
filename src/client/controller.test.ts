import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { serviceUnavailable } from '../api/errors.ts';
import type { ObjectKey } from '../api/objects.ts';
import { type Log, silentLog } from '../base/log.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { ControllerQueue, itself, runController, runControllerOn, type Watch, watch } from './controller.ts';
import { directClient } from './direct.ts';
import { anyKindKeys, kindKey, kindKeys, namespacedNames, objectKeys } from './queue-keys.ts';
import type { RunContext } from './run-context.ts';
import { createInformers } from './shared-informers.ts';
import { FakeApi, notes, user } from './test-api.ts';

describe('controller', () => {
  let clock: VirtualClock;
  let api: FakeApi;
  let stop: AbortController;
  let context: RunContext;
  let worked: string[];
  let complaints: string[];

  beforeEach(() => {
    clock = new VirtualClock();
    api = new FakeApi();
    stop = new AbortController();
    worked = [];
    complaints = [];
    const log: Log = { ...silentLog, error: (message) => void complaints.push(message) };
    const client = directClient(api, user);
    const random = seededRandom(1);
    const { signal } = stop;
    const informers = createInformers(client, clock, log, signal, random);
    context = { client, informers, clock, random, log, signal };
  });

  const create = (name: string) =>
    context.client.create(notes, { metadata: { name, namespace: 'a' }, text: 'x' });
  const note = async ({ name }: ObjectKey): Promise<void> => void worked.push(name);

  it('works on what is there and on what comes, once for a burst', async () => {
    await create('old');
    const watches = [watch(context.informers.of(notes), { changed: itself }, () => 100)];
    const ended = runController(context, 'notes', { workers: 1, watches, reconcile: note });
    await clock.advance(200);
    assert.deepEqual(worked, ['old']);
    const made = await create('new');
    await clock.settle();
    await context.client.update(notes, { ...made, text: 'y' });
    await clock.advance(200);
    assert.deepEqual(worked, ['old', 'new']);
    stop.abort();
    await ended;
    await create('late');
    await clock.advance(200);
    assert.deepEqual(worked, ['old', 'new']);
  });

  it('tells a change from a beginning and from an end', async () => {
    const told: string[] = [];
    const tell = (what: string) => (): undefined => void told.push(what);
    const all = context.informers.of(notes);
    const watches: Watch<ObjectKey>[] = [
      watch(all, { added: tell('added'), updated: tell('updated'), deleted: tell('deleted') }),
      watch(all, { changed: tell('changed') }),
    ];
    const ended = runController(context, 'notes', { workers: 1, watches, reconcile: note });
    const made = await create('n');
    await clock.settle();
    await context.client.update(notes, { ...made, text: 'y' });
    await clock.settle();
    await context.client.delete(notes, made.metadata);
    await clock.settle();
    assert.deepEqual(told, ['added', 'changed', 'updated', 'changed', 'deleted']);
    assert.deepEqual(worked, []);
    stop.abort();
    await ended;
  });

  it('begins only when all that it reads is complete', async () => {
    api.intercept = () => {
      throw serviceUnavailable('not yet');
    };
    const reads = [context.informers.of(notes)];
    const first = [{ name: 'first' }];
    const ended = runController(context, 'notes', { workers: 1, watches: [], reads, first, reconcile: note });
    await clock.advance(1_000);
    assert.deepEqual(worked, []);
    api.intercept = () => {};
    await clock.advance(60_000);
    assert.deepEqual(worked, ['first']);
    stop.abort();
    await ended;
  });

  it('ends quietly when it is stopped before it could begin, and says so when it could not begin', async () => {
    const never: Watch<ObjectKey> = {
      synced: () => Promise.reject(new Error('stopped')),
      start: () => () => {},
    };
    const begin = () => runController(context, 'notes', { workers: 1, watches: [never], reconcile: note });
    await assert.rejects(begin(), /stopped/);
    stop.abort();
    await begin();
  });

  it('ends what it watches when it has ended', async () => {
    let watching = 0;
    const counted: Watch<ObjectKey> = {
      start() {
        watching++;
        return () => void watching--;
      },
    };
    const watches = [counted, counted];
    const ended = runController(context, 'notes', { workers: 1, watches, reconcile: note });
    await clock.settle();
    assert.equal(watching, 2);
    stop.abort();
    await ended;
    assert.equal(watching, 0);
  });

  it('hands over keys of several kinds as they were, and tries again what failed', async () => {
    const queue = new ControllerQueue(context, 'kinds', kindKeys('claim', 'volume'));
    const seen: unknown[] = [];
    const ended = runControllerOn(queue, context, {
      workers: 1,
      watches: [],
      first: [kindKey('volume', { name: 'v' }), kindKey('claim', { namespace: 'a', name: 'v' })],
      async reconcile(key, again) {
        seen.push(key);
        if (seen.length === 1) throw new Error('once');
        if (seen.length === 2) again.add(key);
      },
    });
    await clock.advance(1_000);
    const volume = { kind: 'volume', name: 'v' };
    const claim = { kind: 'claim', namespace: 'a', name: 'v' };
    assert.deepEqual(seen, [volume, claim, claim, volume]);
    assert.deepEqual(complaints, ['reconciling failed, trying again']);
    stop.abort();
    await ended;
  });
});

describe('queue keys', () => {
  it('are read as they were written, with and without namespace', () => {
    for (const key of [{ namespace: 'a', name: 'b' }, { name: 'b' }]) {
      assert.deepEqual(objectKeys.read(objectKeys.write(key)), key);
      const ofKind = { kind: 'statefulsets.apps', ...key };
      assert.deepEqual(anyKindKeys.read(anyKindKeys.write(ofKind)), ofKind);
    }
    assert.equal(namespacedNames.read('a/b'), 'a/b');
  });

  it('are refused when they are of a kind that nobody named', () => {
    assert.throws(() => kindKeys('claim').read('volume:v'), /of none of the kinds claim/);
  });
});
