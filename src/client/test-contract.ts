// What every transport of the client must do, as one suite of tests against the real API server. A transport's own test
// file calls it with a way to reach a server; what only that transport can do is tested there.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isExpired, isNotFound, StatusError } from '../api/errors.ts';
import type { ConfigMap, Node } from '../api/generated/types.ts';
import type { ObjectList, WatchEvent, WatchStream } from '../api/list-watch.ts';
import type { KubeObject, Stored } from '../api/objects.ts';
import type { ResourceDefinition } from '../api/resource.ts';
import { configMaps } from '../api/resources/config-maps/definition.ts';
import { nodes } from '../api/resources/nodes/definition.ts';
import { pods } from '../api/resources/pods/definition.ts';
import type { RunningApiServer } from '../apiserver/server.ts';
import { silentLog } from '../base/log.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import type { Client, Patch } from './client.ts';
import { followKinds } from './kinds.ts';

/** A server with the namespace `default` and its service account, and a client that may do everything. */
export interface Transport {
  client: Client;
  /** The server, for what no client can ask of it. */
  api: Pick<RunningApiServer, 'addResource' | 'removeResource' | 'resources'>;
  /** Lets the server forget all old versions. */
  compact(): Promise<void>;
  close(): Promise<void>;
}

const mapOf = (name: string, more: Partial<ConfigMap> = {}, labels = {}): ConfigMap => ({
  metadata: { name, namespace: 'default', labels },
  ...more,
});
const keyOf = (name: string): { namespace: string; name: string } => ({ namespace: 'default', name });
const namesOf = ({ items }: ObjectList): string => items.map(({ metadata }) => metadata.name).join(' ');

/** A kind that is not served from the start. */
const notes: ResourceDefinition<ConfigMap> = {
  ...configMaps,
  ...{ group: 'test.stead.dev', kind: 'Note', plural: 'notes', singular: 'note', shortNames: [], types: [] },
};

/** The error with which a request is refused. */
async function refusal(request: Promise<unknown>): Promise<StatusError> {
  const error = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof StatusError, `no refusal: ${error}`);
  return error;
}

/** Reads on until so many events have come; bookmarks do not count. */
async function read<T extends KubeObject>(stream: WatchStream<T>, count: number): Promise<WatchEvent<T>[]> {
  const events: WatchEvent<T>[] = [];
  while (events.length < count) {
    const more = await stream.next();
    assert.ok(more, `the watch ended after ${events.length} events`);
    events.push(...more.filter(({ type }) => type !== 'BOOKMARK'));
  }
  return events;
}

/** `+a=1`, `~a=2`, `-a=2`. */
function show(event: WatchEvent<ConfigMap>): string {
  if (event.type === 'ERROR' || event.type === 'BOOKMARK') return event.type;
  const { data, metadata } = event.object;
  const sign = { ADDED: '+', MODIFIED: '~', DELETED: '-' }[event.type];
  return `${sign}${metadata.name}=${data?.x}`;
}

/** Registers the suite. `make` is called for every test. */
export function clientContract(name: string, make: () => Promise<Transport>): void {
  describe(`client contract: ${name}`, { timeout: 60_000 }, () => {
    let transport: Transport;
    let client: Client;
    beforeEach(async () => {
      transport = await make();
      client = transport.client;
    });
    afterEach(() => transport.close());

    it('gives what the server keeps, with its type, and frozen', async () => {
      const made = await client.create(configMaps, mapOf('a', { data: { x: '1' } }));
      assert.match(made.metadata.uid, /^[0-9a-f-]{36}$/);
      assert.deepEqual([made.apiVersion, made.kind], ['v1', 'ConfigMap']);
      const got = await client.get(configMaps, keyOf('a'));
      assert.deepEqual(got, made);
      for (const object of [made, got]) assert.ok(Object.isFrozen(object) && Object.isFrozen(object.data));
    });

    it('refuses with the error of the API, reason, code, details and all', async () => {
      const missing = await refusal(client.get(configMaps, keyOf('none')));
      assert.ok(isNotFound(missing));
      assert.equal(missing.message, 'configmaps "none" not found');
      const { name: what, kind } = missing.status.details ?? {};
      assert.deepEqual([missing.code, what, kind], [404, 'none', 'configmaps']);
      await client.create(configMaps, mapOf('a'));
      assert.equal((await refusal(client.create(configMaps, mapOf('a')))).reason, 'AlreadyExists');
      const invalid = await refusal(client.create(configMaps, mapOf('No!')));
      assert.deepEqual([invalid.code, invalid.status.details?.causes?.[0]?.field], [422, 'metadata.name']);
    });

    it('refuses an update of an old version, and of an object that is another one', async () => {
      const made = await client.create(configMaps, mapOf('a', { data: { x: '1' } }));
      const changed = await client.update(configMaps, { ...made, data: { x: '2' } });
      assert.equal(changed.data?.x, '2');
      assert.equal((await refusal(client.update(configMaps, made))).reason, 'Conflict');
      const another = { ...changed, metadata: { ...changed.metadata, uid: 'other' } };
      assert.equal((await refusal(client.update(configMaps, another))).reason, 'Conflict');
      assert.equal((await refusal(client.update(configMaps, mapOf('none')))).reason, 'NotFound');
    });

    it('writes a subresource and nothing beside it', async () => {
      const node: Node = { metadata: { name: 'n' }, spec: {} };
      const made = await client.create(nodes, node);
      const body = { ...made, spec: { unschedulable: true }, status: { phase: 'Running' } };
      const written = await client.update(nodes, body, { subresource: 'status' });
      assert.deepEqual([written.status?.phase, written.spec.unschedulable], ['Running', undefined]);
    });

    it('posts to a subresource', async () => {
      const spec = { containers: [{ name: 'c', image: 'i' }] };
      await client.create(pods, { metadata: keyOf('p'), spec });
      const body = { metadata: keyOf('p'), target: { kind: 'Node', name: 'n' } };
      await client.createSubresource(pods, keyOf('p'), 'binding', body);
      assert.equal((await client.get(pods, keyOf('p'))).spec.nodeName, 'n');
    });

    it('patches in four ways', async () => {
      await client.create(configMaps, mapOf('a', { data: { x: '1', y: '1' } }));
      const patch = async (how: Patch) => (await client.patch(configMaps, keyOf('a'), how)).data;
      assert.deepEqual(await patch({ type: 'merge', body: { data: { x: null } } }), { y: '1' });
      assert.deepEqual(await patch({ type: 'strategic', body: { data: { z: '1' } } }), { y: '1', z: '1' });
      const operations = [{ op: 'replace', path: '/data/y', value: '2' }];
      assert.deepEqual(await patch({ type: 'json', body: operations }), { y: '2', z: '1' });
      const wanted = { apiVersion: 'v1', kind: 'ConfigMap', metadata: keyOf('a'), data: { z: '3' } };
      const apply = { type: 'apply', body: wanted, fieldManager: 'contract' } as const;
      assert.equal((await refusal(patch({ ...apply, force: false }))).reason, 'Conflict');
      assert.deepEqual(await patch({ ...apply, force: true }), { y: '2', z: '3' });
    });

    it('lists by namespace, label and field, and in pages of one version', async () => {
      for (const [index, name] of ['a', 'b', 'c'].entries()) {
        await client.create(configMaps, mapOf(name, {}, { index: String(index) }));
      }
      const all = await client.list(configMaps, { namespace: 'default' });
      assert.equal(namesOf(all), 'a b c');
      assert.deepEqual([all.items[0]?.apiVersion, all.items[0]?.kind], ['v1', 'ConfigMap']);
      assert.ok(Object.isFrozen(all.items[0]));
      assert.equal(namesOf(await client.list(configMaps)), 'a b c');
      assert.equal(namesOf(await client.list(configMaps, { namespace: 'other' })), '');
      assert.equal(namesOf(await client.list(configMaps, { labelSelector: 'index in (0,2)' })), 'a c');
      assert.equal(namesOf(await client.list(configMaps, { fieldSelector: 'metadata.name=b' })), 'b');
      const page = await client.list(configMaps, { limit: 2 });
      assert.equal(namesOf(page), 'a b');
      await client.create(configMaps, mapOf('d'));
      const rest = await client.list(configMaps, { limit: 2, continue: page.metadata.continue ?? '' });
      assert.deepEqual([namesOf(rest), rest.metadata.continue], ['c', undefined]);
      assert.equal(rest.metadata.resourceVersion, page.metadata.resourceVersion);
    });

    it('watches from a version on, in order, what is selected', async () => {
      const { metadata } = await client.list(configMaps);
      const made = await client.create(configMaps, mapOf('a', { data: { x: '1' } }, { seen: 'yes' }));
      await client.create(configMaps, mapOf('b', {}, { seen: 'no' }));
      const options = { ...metadata, namespace: 'default', labelSelector: 'seen=yes' };
      const stream = await client.watch(configMaps, options);
      await client.update(configMaps, { ...made, data: { x: '2' } });
      await client.delete(configMaps, keyOf('a'));
      const events = await read(stream, 3);
      assert.deepEqual(events.map(show), ['+a=1', '~a=2', '-a=2']);
      assert.ok(events.every(({ object }) => Object.isFrozen(object)));
      stream.stop();
      assert.equal(await stream.next(), undefined);
    });

    it('ends a watch with its signal, and a reader that waits', async () => {
      const { resourceVersion } = (await client.list(configMaps)).metadata;
      const end = new AbortController();
      const stream = await client.watch(configMaps, { resourceVersion, signal: end.signal });
      const waiting = (async () => {
        while (await stream.next());
      })();
      end.abort();
      await waiting;
    });

    it('says that a version is gone, to who follows it and to who reads on', async () => {
      for (const name of ['a', 'b']) await client.create(configMaps, mapOf(name));
      const page = await client.list(configMaps, { limit: 1 });
      const follow = async (): Promise<void> => {
        // Of the time before anybody asked for ConfigMaps.
        const [event] = await read(await client.watch(configMaps, { resourceVersion: '1' }), 1);
        if (event?.type === 'ERROR') throw new StatusError(event.object);
      };
      assert.ok(isExpired(await refusal(follow())));
      await client.create(configMaps, mapOf('c'));
      await transport.compact();
      const rest = client.list(configMaps, { limit: 1, continue: page.metadata.continue ?? '' });
      assert.ok(isExpired(await refusal(rest)));
    });

    it('discovers what is served, and follows what comes and goes', async () => {
      const shown = ({
        group,
        version,
        kind,
        plural,
        singular,
        namespaced,
        hasStatus,
        verbs,
      }: ResourceDefinition) =>
        `${group}/${version} ${kind} ${plural} ${singular} ${namespaced} ${hasStatus} ${verbs.toSorted()}`;
      const served = transport.api.resources().map(shown);
      assert.deepEqual((await client.discover()).map(shown).sort(), served.sort());
      const end = new AbortController();
      const clock = new VirtualClock();
      const kinds = await followKinds(client, clock, silentLog, end.signal);
      const before = kinds.resources();
      let news = 0;
      const unlisten = kinds.onResourcesChange(() => news++);
      const look = async (expected: number): Promise<void> => {
        const seen = new Promise<void>((resolve) => {
          const stop = kinds.onResourcesChange(() => {
            stop();
            resolve();
          });
        });
        await clock.advance(30_000);
        await seen;
        assert.equal(news, expected);
      };
      transport.api.addResource(notes);
      await look(1);
      const now = kinds.resources();
      const note = now.find(({ plural }) => plural === 'notes');
      assert.ok(note);
      assert.deepEqual(
        [now.length, now.filter((each) => before.includes(each)).length],
        [before.length + 1, before.length],
      );
      const metadata = { ...keyOf('n'), labels: { a: 'b' } };
      await client.create(note, { metadata });
      assert.deepEqual((await client.get(note, keyOf('n'))).metadata.labels, { a: 'b' });
      transport.api.removeResource(notes);
      await look(2);
      assert.deepEqual(kinds.resources(), before);
      unlisten();
      end.abort();
    });

    it('deletes the object that is meant, and no other', async () => {
      const { metadata }: Stored<ConfigMap> = await client.create(configMaps, mapOf('a'));
      const other = { preconditions: { uid: 'other' } };
      assert.equal((await refusal(client.delete(configMaps, keyOf('a'), other))).reason, 'Conflict');
      await client.delete(configMaps, keyOf('a'), { preconditions: { uid: metadata.uid } });
      assert.ok(isNotFound(await refusal(client.get(configMaps, keyOf('a')))));
      assert.ok(isNotFound(await refusal(client.delete(configMaps, keyOf('a')))));
    });
  });
}
