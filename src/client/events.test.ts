import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { forbidden } from '../api/errors.ts';
import type { Event } from '../api/generated/types.ts';
import { events } from '../api/resources/events/definition.ts';
import { type Log, silentLog } from '../base/log.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { directClient } from './direct.ts';
import { createRecorder, type EventRecorder } from './events.ts';
import { FakeApi, notes, user } from './test-api.ts';

describe('event recorder', () => {
  let clock: VirtualClock;
  let api: FakeApi;
  let recorder: EventRecorder;
  let warnings: string[];
  const log: Log = { ...silentLog, warn: (message) => void warnings.push(message) };
  const set = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'web', namespace: 'prod', uid: 'u1', resourceVersion: '7' },
  };
  const stored = async (): Promise<Event[]> => (await directClient(api, user).list(events)).items;
  const writes = (): string[] =>
    api.requests.filter(({ verb }) => verb !== 'list' && verb !== 'get').map(({ verb }) => verb);

  beforeEach(() => {
    clock = new VirtualClock();
    api = new FakeApi();
    warnings = [];
    const { signal } = new AbortController();
    const context = { client: directClient(api, user), clock, random: seededRandom(3), log, signal };
    recorder = createRecorder(context, 'sets', 'node-1');
  });

  it('writes an event as client-go does', async () => {
    recorder.event(set, 'Normal', 'SuccessfulCreate', 'create Pod web-0', 'Creating');
    assert.deepEqual(api.requests, []);
    await clock.settle();
    const [event] = await stored();
    assert.match(event?.metadata.name ?? '', /^web\.[0-9a-f]{16}$/);
    assert.equal(event?.metadata.namespace, 'prod');
    assert.deepEqual(event?.involvedObject, {
      kind: 'StatefulSet',
      namespace: 'prod',
      name: 'web',
      uid: 'u1',
      apiVersion: 'apps/v1',
      resourceVersion: '7',
    });
    const {
      type,
      reason,
      message,
      action,
      source,
      reportingComponent,
      count,
      firstTimestamp,
      lastTimestamp,
    } = event;
    assert.deepEqual(
      { type, reason, message, action, source, reportingComponent, count, firstTimestamp, lastTimestamp },
      {
        type: 'Normal',
        reason: 'SuccessfulCreate',
        message: 'create Pod web-0',
        action: 'Creating',
        source: { component: 'sets', host: 'node-1' },
        reportingComponent: 'sets',
        count: 1,
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
      },
    );
  });

  it('counts the same event instead of writing it again', async () => {
    for (let i = 0; i < 3; i++) {
      recorder.event(set, 'Warning', 'FailedCreate', 'no');
      await clock.advance(60_000);
    }
    const all = await stored();
    assert.equal(all.length, 1);
    assert.deepEqual([all[0]?.count, all[0]?.lastTimestamp], [3, '2026-01-01T00:02:00Z']);
    assert.equal(all[0]?.firstTimestamp, '2026-01-01T00:00:00Z');
    assert.deepEqual(writes(), ['create', 'patch', 'patch']);
  });

  it('begins anew when the counted event has expired', async () => {
    recorder.event(set, 'Normal', 'Same', 'again');
    await clock.advance(1000);
    for (const { metadata } of await stored()) {
      await directClient(api, user).delete(events, { namespace: 'prod', name: metadata.name ?? '' });
    }
    recorder.event(set, 'Normal', 'Same', 'again');
    await clock.advance(1000);
    assert.equal((await stored()).length, 1);
    assert.deepEqual(writes(), ['create', 'delete', 'patch', 'create']);
  });

  it('combines events that differ in their message alone', async () => {
    for (let i = 0; i < 14; i++) recorder.event(set, 'Warning', 'Odd', `message ${i}`);
    await clock.settle();
    const messages = (await stored()).map((event) => `${event.message} ×${event.count}`);
    assert.equal(messages.length, 10);
    assert.equal(messages.at(-1), '(combined from similar events): message 13 ×5');
  });

  it('cuts an object short that has too much to say, and no other', async () => {
    for (let i = 0; i < 60; i++) recorder.event(set, 'Warning', `Reason${i}`, 'no');
    recorder.event({ ...set, metadata: { ...set.metadata, uid: 'u2' } }, 'Normal', 'Other', 'heard');
    await clock.settle();
    assert.equal((await stored()).length, 26);
    await clock.advance(301_000);
    recorder.event(set, 'Warning', 'Later', 'heard');
    recorder.event(set, 'Warning', 'TooSoon', 'not heard');
    await clock.settle();
    const reasons = (await stored()).map((event) => event.reason);
    assert.ok(reasons.includes('Later') && !reasons.includes('TooSoon'));
  });

  it('puts events of cluster-scoped objects into the namespace default, and takes references', async () => {
    recorder.event({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } }, 'Normal', 'Ready', 'ready');
    recorder.event(
      { kind: 'Pod', name: 'p', namespace: 'x', fieldPath: 'spec.containers{c}' },
      'Normal',
      'Pulled',
      'x',
    );
    recorder.event({ metadata: { name: 'untyped' } }, 'Normal', 'Lost', 'x');
    await clock.settle();
    const all = await stored();
    assert.deepEqual(
      all.map((event) => `${event.metadata.namespace} ${event.involvedObject.fieldPath ?? ''}`),
      ['default ', 'x spec.containers{c}'],
    );
    assert.match(warnings[0] ?? '', /without kind or name/);
  });

  it('neither blocks nor throws when the API fails, and keeps a bounded backlog', async () => {
    let down = true;
    api.intercept = () => {
      if (down) throw new Error('connection refused');
    };
    for (let i = 0; i < 1200; i++)
      recorder.event(
        { ...set, metadata: { ...set.metadata, uid: `${i}`, name: `n${i}` } },
        'Normal',
        'R',
        'm',
      );
    await clock.advance(15_000);
    down = false;
    await clock.advance(15_000);
    const count = (await stored()).length;
    assert.ok(count >= 999 && count <= 1001, `${count} events`);
    assert.match(warnings[0] ?? '', /too many events/);
    assert.equal(clock.pending, 0);
  });

  it('drops at once what the API refuses', async () => {
    api.intercept = ({ resource }) => {
      if (resource.plural === 'events') throw forbidden(notes, 'web', 'namespace is being terminated');
    };
    recorder.event(set, 'Normal', 'R', 'm');
    await clock.settle();
    assert.match(warnings[0] ?? '', /could not be written: .*terminated/);
    assert.equal(clock.pending, 0);
  });
});
