import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { expired, serviceUnavailable } from '../api/errors.ts';
import type { LogFields } from '../base/log.ts';
import { type Log, silentLog } from '../base/log.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import type { Client } from './client.ts';
import { directClient } from './direct.ts';
import type { Informer } from './informers.ts';
import { createInformers } from './shared-informers.ts';
import { FakeApi, type Note, notes, user } from './test-api.ts';

describe('informers', () => {
  let clock: VirtualClock;
  let api: FakeApi;
  let client: Client;
  let stop: AbortController;
  let informer: Informer<Note>;
  let seen: string[];
  /** Begins to list and watch. */
  let start: () => void;
  let errors: { message: string; fields: LogFields | undefined }[];

  const note = (name: string, text: string, namespace = 'a'): Note => ({
    metadata: { name, namespace },
    text,
  });
  const create = (name: string, text = 'x', namespace = 'a') =>
    client.create(notes, note(name, text, namespace));
  const write = async (name: string, text: string): Promise<void> => {
    const old = await client.get(notes, { namespace: 'a', name });
    await client.update(notes, { ...old, text });
  };
  const cached = (): string =>
    informer
      .list()
      .map((object) => `${object.metadata.name}=${object.text}`)
      .sort()
      .join(' ');
  const watches = (): number => api.requests.filter((request) => request.verb === 'watch').length;
  const lists = (): number => api.requests.filter((request) => request.verb === 'list').length;

  beforeEach(() => {
    clock = new VirtualClock();
    api = new FakeApi();
    client = directClient(api, user);
    stop = new AbortController();
    seen = [];
    errors = [];
    const log: Log = { ...silentLog, error: (message, _, fields) => void errors.push({ message, fields }) };
    start = () => {
      informer = createInformers(client, clock, log, stop.signal, seededRandom(1)).of(notes);
      informer.subscribe({
        added: (object) => seen.push(`+${object.metadata.name}=${object.text}`),
        updated: (object, old) => seen.push(`~${object.metadata.name}=${object.text}<${old.text}`),
        deleted: (object) => seen.push(`-${object.metadata.name}=${object.text}`),
      });
    };
  });

  it('lists, then follows the watch', async () => {
    await create('one', '1');
    start();
    await informer.synced();
    assert.deepEqual(seen, ['+one=1']);
    await create('two', '2');
    await write('one', '11');
    await client.delete(notes, { namespace: 'a', name: 'two' });
    await clock.settle();
    assert.deepEqual(seen, ['+one=1', '+two=2', '~one=11<1', '-two=2']);
    assert.equal(informer.get('a', 'one')?.text, '11');
    assert.equal(informer.get('b', 'one'), undefined);
    assert.equal(cached(), 'one=11');
    stop.abort();
    await clock.settle();
    assert.equal(api.streams.size, 0);
    assert.equal(clock.pending, 0);
  });

  it('takes a long list in pages that are true at one version', async () => {
    for (let i = 0; i < 1203; i++) await create(`n${i}`);
    api.intercept = async ({ options }) => {
      if (options.continue) await create(`late${api.requests.length}`);
    };
    start();
    await informer.synced();
    assert.equal(informer.list().length, 1203);
    api.intercept = () => {};
    await clock.settle();
    assert.equal(informer.list().length, 1205);
    assert.equal(lists(), 3);
    stop.abort();
  });

  it('lists in one piece when the pages are compacted away', async () => {
    for (let i = 0; i < 600; i++) await create(`n${i}`);
    api.intercept = ({ options }) => {
      if (options.continue) throw expired('gone');
    };
    start();
    await informer.synced();
    assert.equal(informer.list().length, 600);
    stop.abort();
  });

  it('resumes from the last version when the stream ends', async () => {
    start();
    await informer.synced();
    await create('one', '1');
    await clock.settle();
    for (const stream of api.streams) stream.stop();
    await create('two', '2');
    await clock.settle();
    assert.deepEqual(seen, ['+one=1', '+two=2']);
    assert.equal(lists(), 1);
    assert.equal(watches(), 2);
    stop.abort();
  });

  it('lists again when its version is gone, and tells only of the differences', async () => {
    start();
    await informer.synced();
    for (const name of ['same', 'changed', 'deleted', 'replaced']) await create(name, '1');
    await clock.settle();
    seen.length = 0;
    api.intercept = ({ verb }) => {
      if (verb === 'watch') throw serviceUnavailable('restarting');
    };
    for (const stream of api.streams) stream.stop();
    await write('changed', '2');
    await client.delete(notes, { namespace: 'a', name: 'deleted' });
    await client.delete(notes, { namespace: 'a', name: 'replaced' });
    await create('replaced', '2');
    await create('new', '1');
    await api.store.compact(await api.store.revision());
    await clock.settle();
    assert.deepEqual(seen, []);
    api.intercept = () => {};
    await clock.advance(5000);
    assert.deepEqual(seen.sort(), ['+new=1', '+replaced=2', '-deleted=1', '-replaced=1', '~changed=2<1']);
    assert.equal(cached(), 'changed=2 new=1 replaced=2 same=1');
    assert.equal(lists(), 2);
    await create('after', '1');
    await clock.settle();
    assert.equal(seen.at(-1), '+after=1');
    stop.abort();
  });

  it('lists again after an ERROR event with code 410', async () => {
    start();
    await informer.synced();
    await create('one', '1');
    await clock.settle();
    const { status } = expired('too old resource version');
    for (const stream of api.streams) stream.push([{ type: 'ERROR', object: status }]);
    await clock.settle();
    assert.equal(lists(), 2);
    assert.deepEqual(seen, ['+one=1']);
    assert.equal(api.streams.size, 1);
    stop.abort();
  });

  it('moves on with bookmarks', async () => {
    await create('one', '1');
    start();
    await informer.synced();
    await clock.settle();
    const object = { metadata: { resourceVersion: '77' } };
    for (const stream of api.streams) stream.push([{ type: 'BOOKMARK', object }]);
    await clock.settle();
    for (const stream of api.streams) stream.stop();
    await clock.settle();
    assert.equal(api.requests.at(-1)?.options.resourceVersion, '77');
    stop.abort();
  });

  it('backs off while the API fails, and does not spin on watches that end at once', async () => {
    api.intercept = () => {
      throw serviceUnavailable('starting');
    };
    start();
    await clock.advance(60_000);
    assert.ok(lists() >= 4 && lists() <= 8, `${lists()} lists in a minute`);
    api.intercept = () => {};
    await clock.advance(60_000);
    await informer.synced();
    api.requests.length = 0;
    api.intercept = ({ verb }) => {
      if (verb !== 'watch') return;
      void (async () => {
        // In the same moment, but once the watch is there.
        while (api.streams.size === 0) await undefined;
        for (const stream of api.streams) stream.stop();
      })();
    };
    for (const stream of api.streams) stream.stop();
    for (let i = 0; i < 60; i++) await clock.advance(1000);
    assert.ok(watches() >= 2 && watches() <= 10, `${watches()} watches in a minute`);
    stop.abort();
    await clock.settle();
    assert.equal(clock.pending, 0);
  });

  it('serves indexes and namespaces', async () => {
    start();
    informer.addIndex('text', (object) => (object.text ? [object.text, 'any'] : []));
    await create('one', '1');
    await create('two', '2', 'b');
    await informer.synced();
    informer.addIndex('late', (object) => [object.metadata.name?.slice(0, 1) ?? '']);
    await create('three', '1', 'b');
    await write('one', '3');
    await clock.settle();
    const names = (objects: Note[]): string => objects.map((object) => object.metadata.name).join(' ');
    assert.equal(names(informer.byIndex('text', '1')), 'three');
    assert.equal(names(informer.byIndex('text', '3')), 'one');
    assert.equal(names(informer.byIndex('text', 'any')), 'one two three');
    assert.equal(names(informer.byIndex('late', 't')), 'two three');
    assert.equal(names(informer.list('b')), 'two three');
    assert.equal(names(informer.list('nowhere')), '');
    await client.delete(notes, { namespace: 'b', name: 'three' });
    await clock.settle();
    assert.equal(names(informer.byIndex('late', 't')), 'two');
    assert.equal(names(informer.list('b')), 'two');
    assert.throws(() => informer.byIndex('none', ''), /no index "none"/);
    stop.abort();
  });

  it('goes on when a handler throws, and tells late subscribers of what is there', async () => {
    start();
    informer.subscribe({
      added: () => {
        throw new Error('defect');
      },
    });
    const after: string[] = [];
    informer.subscribe({ added: (object) => after.push(object.metadata.name) });
    await create('one', '1');
    await informer.synced();
    await clock.settle();
    const late: string[] = [];
    const unsubscribe = informer.subscribe({ added: (object) => late.push(object.metadata.name) });
    await create('two', '1');
    await clock.settle();
    unsubscribe();
    await create('three', '1');
    await clock.settle();
    assert.deepEqual(late, ['one', 'two']);
    assert.deepEqual(after, ['one', 'two', 'three']);
    assert.deepEqual(errors[0], {
      message: 'an informer handler failed',
      fields: { change: 'added', key: 'a/one' },
    });
    assert.equal(errors.length, 3);
    stop.abort();
  });

  it('never calls an empty cache synced when it is stopped before', async () => {
    api.intercept = () => {
      throw serviceUnavailable('starting');
    };
    start();
    const synced = informer.synced();
    await clock.settle();
    stop.abort();
    await assert.rejects(synced, /stopped before the first list/);
    await clock.settle();
    assert.equal(clock.pending, 0);
  });

  it('shares one list and one watch', async () => {
    const informers = createInformers(client, clock, silentLog, stop.signal);
    assert.equal(informers.of(notes), informers.of(notes));
    await informers.of(notes).synced();
    await clock.settle();
    assert.equal(api.streams.size, 1);
    stop.abort();
  });

  it('lists and watches what is selected, once for each selection', async () => {
    const informers = createInformers(client, clock, silentLog, stop.signal);
    const selection = { namespace: 'a', labelSelector: 'app=web', fieldSelector: 'spec.nodeName=one' };
    await create('one', '1');
    await create('two', '2', 'b');
    const selected = informers.of(notes, selection);
    assert.equal(informers.of(notes, { ...selection }), selected);
    assert.notEqual(informers.of(notes, { ...selection, namespace: 'b' }), selected);
    assert.notEqual(informers.of(notes), selected);
    await selected.synced();
    await clock.settle();
    assert.deepEqual(
      selected.list().map(({ metadata }) => metadata.name),
      ['one'],
    );
    const { fieldSelector, labelSelector } = selection;
    const mine = api.requests.filter(({ options }) => options.fieldSelector === fieldSelector);
    const asked = mine.filter(
      (request) => request.namespace === 'a' && request.options.labelSelector === labelSelector,
    );
    assert.deepEqual(asked.map(({ verb }) => verb).sort(), ['list', 'watch']);
    stop.abort();
  });
});
