import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, EventsV1Event } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/objects.ts';
import { allResources } from '../../api/resources/all.ts';
import { eventsV1 } from '../../api/resources/events/events-v1.ts';
import { silentLog } from '../../base/log.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { CacheHub } from '../cache/hub.ts';
import { Expiry } from '../expiry.ts';
import { Registry } from '../registry.ts';
import type { ApiRequest } from '../request.ts';
import { startTestServer } from '../test-server.ts';

const about = { kind: 'Pod', name: 'web-0', namespace: 'default', apiVersion: 'v1' };
const body = (name: string, lastTimestamp: string): object => ({
  metadata: { name },
  involvedObject: about,
  reason: 'Started',
  message: 'Started it',
  source: { component: 'kubelet', host: 'n' },
  type: 'Normal',
  count: 1,
  firstTimestamp: lastTimestamp,
  lastTimestamp,
});

test('an event is read and written in both forms, and is one', async () => {
  const server = await startTestServer();
  const v1 = { resource: eventsV1, name: 'a' };
  await server.object('create', 'events', { body: body('a', '2026-11-22T06:59:00Z') });
  const read = await server.object<EventsV1Event>('get', 'events', v1);
  assert.deepEqual(
    [read.apiVersion, read.regarding?.name, read.note, read.deprecatedSource?.host, read.deprecatedCount],
    ['events.k8s.io/v1', 'web-0', 'Started it', 'n', 1],
  );
  const patched = await server.object<EventsV1Event>('patch', 'events', {
    ...v1,
    patchType: 'merge',
    body: { series: { count: 2, lastObservedTime: '2026-11-22T06:59:30.000000Z' } },
  });
  assert.equal(patched.note, 'Started it');
  const again = { ...v1, patchType: 'merge' as const, body: { note: 'Again' } };
  await assert.rejects(
    server.object('patch', 'events', again),
    /message: Invalid value: "Again": field is immutable/,
  );
  const core = await server.object<Event>('get', 'events', { name: 'a' });
  assert.deepEqual([core.apiVersion, core.message, core.series?.count], ['v1', 'Started it', 2]);
  const selected = await server.list('list', 'events', {
    resource: eventsV1,
    options: { fieldSelector: 'regarding.name=web-0' },
  });
  assert.deepEqual(
    selected.items.map(({ apiVersion }) => apiVersion),
    ['events.k8s.io/v1'],
  );
  // What stands in a value is no name, whatever it looks like.
  const escaped = await server.list('list', 'events', {
    resource: eventsV1,
    options: { fieldSelector: 'regarding.name!=a\\,message\\=b,reason!=x' },
  });
  assert.equal(escaped.items.length, 1);
  // A name of the other version's is none here.
  for (const fieldSelector of ['involvedObject.name=web-0', 'reason=x,reportingComponent!=y']) {
    const listed = server.list('list', 'events', { resource: eventsV1, options: { fieldSelector } });
    await assert.rejects(
      listed,
      /^StatusError: field label not supported: (involvedObject.name|reportingComponent)$/,
    );
  }
  const watch = await server.watch('watch', 'events', { resource: eventsV1, options: {} });
  const [first] = (await watch.next()) ?? [];
  assert.equal(first?.object.apiVersion, 'events.k8s.io/v1');
  watch.stop();
  await server.handle('delete', 'events', v1);
  assert.equal((await server.list('list', 'events')).items.length, 0);
  server.api.stop();
});

test('an hour after it was last seen an event is gone', async () => {
  const server = await startTestServer();
  await server.object('create', 'events', { body: body('old', '2026-11-22T06:30:00Z') });
  server.clock.advance(50 * 60_000);
  await server.object('create', 'events', { body: body('new', '2026-11-22T07:50:00Z') });
  assert.equal((await server.list('list', 'events')).items.length, 2);
  server.clock.advance(11 * 60_000);
  const left = await server.list('list', 'events');
  assert.deepEqual(
    left.items.map(({ metadata }) => metadata.name),
    ['new'],
  );
  server.api.stop();
});

test('of too many events the oldest go before their hour is over', async () => {
  const server = await startTestServer();
  for (const minute of ['50', '20', '40', '30'])
    await server.object('create', 'events', { body: body(`at-${minute}`, `2026-11-22T06:${minute}:00Z`) });
  const { clock, store } = server;
  const registry = new Registry({
    store,
    clock,
    random: seededRandom(1),
    log: silentLog,
    resources: allResources,
  });
  const early = await server.object<Event>('get', 'events', { name: 'at-20' });
  server.clock.advance(60_000);
  const count = (early.count ?? 0) + 1;
  const lastTimestamp = '2026-11-22T07:01:00Z';
  await server.object('update', 'events', { name: 'at-20', body: { ...early, count, lastTimestamp } });
  await new Expiry(registry, server.resource('events'), 1).sweep();
  assert.deepEqual(
    (await server.list('list', 'events')).items.map(({ metadata }) => metadata.name),
    ['at-20'],
  );
  server.api.stop();
});

test('an event is applied in the new form; owners keep the names of their own version', async () => {
  const server = await startTestServer();
  const apply = (manager: string, fields: object, force = false) =>
    server.object<EventsV1Event>('patch', 'events', {
      resource: eventsV1,
      name: 'a',
      patchType: 'apply',
      options: { fieldManager: manager, force },
      body: { apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { name: 'a' }, ...fields },
    });
  const regarding = { kind: 'Pod', name: 'web-0', namespace: 'default' };
  const said = { reportingController: 'c', reportingInstance: 'i', action: 'Start', type: 'Normal' };
  await assert.rejects(apply('one', { regarding, note: 'first', ...said }), /eventTime: Required value/);
  const eventTime = '2026-11-22T06:59:00.000000Z';
  const made = await apply('one', { regarding, note: 'first', reason: 'Started', eventTime, ...said });
  assert.deepEqual([made.apiVersion, made.note], ['events.k8s.io/v1', 'first']);
  assert.deepEqual(
    made.metadata.managedFields?.map(({ apiVersion, manager, fieldsV1 }) => [
      apiVersion,
      manager,
      Object.keys(fieldsV1 ?? {}).sort(),
    ]),
    [
      [
        'events.k8s.io/v1',
        'one',
        [
          'f:action',
          'f:eventTime',
          'f:note',
          'f:reason',
          'f:regarding',
          'f:reportingController',
          'f:reportingInstance',
          'f:type',
        ],
      ],
    ],
  );
  const core = await server.object<Event>('get', 'events', { name: 'a' });
  assert.deepEqual([core.message, core.involvedObject.name], ['first', 'web-0']);
  await assert.rejects(apply('two', { note: 'second' }), /conflict with "one": \.note/);
  await assert.rejects(
    apply('two', { note: 'second' }, true),
    /message: Invalid value: "second": field is immutable/,
  );
  // Who wrote in the core form is asked by the new form's names, and keeps its own.
  await server.object('patch', 'events', {
    name: 'a',
    patchType: 'merge',
    options: { fieldManager: 'three' },
    body: { source: { component: 'kubelet' } },
  });
  await assert.rejects(
    apply('two', { note: 'first', deprecatedSource: { component: 'me' } }),
    /deprecatedSource/,
  );
  const taken = await apply('two', { note: 'first', deprecatedSource: { component: 'kubelet' } });
  assert.deepEqual([taken.note, taken.deprecatedSource?.component], ['first', 'kubelet']);
  server.api.stop();
});

test('what is written in the new form is owned in its names', async () => {
  const server = await startTestServer();
  const owners = ({ metadata }: KubeObject): unknown[] =>
    (metadata.managedFields ?? []).map(({ apiVersion, manager, operation, fieldsV1 }) => [
      [apiVersion, manager, operation].join(' '),
      Object.keys(fieldsV1 ?? {})
        .sort()
        .join(' '),
    ]);
  const written = (verb: 'create' | 'update' | 'patch', manager: string, parts: Partial<ApiRequest>) =>
    server.object<EventsV1Event>(verb, 'events', {
      resource: eventsV1,
      name: 'a',
      options: { fieldManager: manager },
      ...parts,
    });
  const event = {
    metadata: { name: 'a' },
    regarding: { kind: 'Pod', name: 'web-0', namespace: 'default' },
    note: 'first',
    reason: 'Started',
    action: 'Start',
    type: 'Normal',
    eventTime: '2026-11-22T06:59:00.000000Z',
    reportingController: 'c',
    reportingInstance: 'i',
  };
  const made = await written('create', 'one', { body: event });
  const one = [
    'events.k8s.io/v1 one Update',
    'f:action f:eventTime f:note f:reason f:regarding f:reportingController f:reportingInstance f:type',
  ];
  assert.deepEqual(owners(made), [one]);
  const series = { count: 2, lastObservedTime: '2026-11-22T06:59:30.000000Z' };
  const merged = await written('patch', 'two', { patchType: 'merge', body: { series } });
  const two = ['events.k8s.io/v1 two Update', 'f:series'];
  assert.deepEqual(owners(merged), [one, two]);
  // Without a version a PUT is written over what is there; labels are the writer's own.
  const labelled = { ...event, series, metadata: { name: 'a', labels: { l: 'v' } } };
  const put = await written('update', 'three', { body: labelled });
  assert.deepEqual(owners(put), [one, ['events.k8s.io/v1 three Update', 'f:metadata'], two]);
  const core = await server.object<Event>('patch', 'events', {
    name: 'a',
    patchType: 'merge',
    options: { fieldManager: 'four' },
    body: { source: { component: 'kubelet' } },
  });
  assert.deepEqual(
    owners(core).find((each) => String(each).includes('four')),
    ['v1 four Update', 'f:source'],
  );
  const old = {
    ...event,
    series,
    deprecatedSource: { component: 'kubelet' },
    metadata: { name: 'a', resourceVersion: made.metadata.resourceVersion },
  };
  await assert.rejects(written('update', 'three', { body: old }), { code: 409 });
  server.api.stop();
});

test('of an event only an outline is kept in memory, and everybody is told all of it', async () => {
  const server = await startTestServer();
  const written = body('a', '2026-11-22T06:59:00Z');
  await server.object('create', 'events', { body: written });
  for (let index = 0; index < 500; index++)
    await server.object('create', 'events', { body: { ...written, metadata: { name: `b-${index}` } } });
  const hub = new CacheHub(server.store, server.clock, silentLog);
  const kept = (await hub.of(server.resource('events'))).get('default', 'a') as Event;
  assert.deepEqual([kept.involvedObject.name, kept.reason, kept.message], ['web-0', 'Started', undefined]);
  hub.stop();
  const message = (event: KubeObject): string | undefined => (event as Event).message;

  assert.equal(message(await server.object('get', 'events', { name: 'a' })), 'Started it');
  const { items } = await server.list('list', 'events');
  assert.equal(items.length, 501);
  assert.ok(items.every((item) => message(item) === 'Started it'));
  const selected = await server.list('list', 'events', {
    options: { fieldSelector: 'involvedObject.name=web-0,metadata.name=b-7' },
  });
  assert.deepEqual(selected.items.map(message), ['Started it']);

  // A watch that begins with what there is tells that first, as it was, whatever happens while it is read.
  const watch = await server.watch('watch', 'events', { options: {} });
  const told = async (): Promise<string[]> =>
    ((await watch.next()) ?? []).map(({ type, object }) => `${type} ${message(object as KubeObject)}`);
  await server.object('patch', 'events', { name: 'a', patchType: 'merge', body: { message: 'Again' } });
  await server.handle('delete', 'events', { name: 'a' });
  let lines: string[] = [];
  while (lines.length < 503) lines = [...lines, ...(await told())];
  assert.deepEqual([...new Set(lines.slice(0, 501))], ['ADDED Started it']);
  assert.deepEqual(lines.slice(501), ['MODIFIED Again', 'DELETED Again']);
  watch.stop();
  server.api.stop();
});
