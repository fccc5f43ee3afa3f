// What is recorded of requests that come through the front door, stage by stage.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../../base/metrics.ts';
import { type FrontDoor, openFrontDoor } from '../http/test-front-door.ts';
import { configMap } from '../test-objects.ts';
import { Auditor } from './auditor.ts';
import { parsePolicy } from './policy.ts';

interface Recorded {
  kind: string;
  apiVersion: string;
  level: string;
  auditID: string;
  stage: string;
  requestURI: string;
  verb: string;
  user: { username: string; groups: string[] };
  impersonatedUser?: { username: string };
  userAgent: string;
  objectRef?: object;
  responseStatus?: { code: number; status?: string; message?: string };
  requestObject?: { metadata?: { name?: string; managedFields?: object } };
  responseObject?: { kind: string; metadata: { managedFields?: object; uid?: string }; items?: object[] };
  requestReceivedTimestamp: string;
  annotations?: object;
}

const MAPS = '/api/v1/namespaces/default/configmaps';

async function audited(rules: string): Promise<{ door: FrontDoor; events: Recorded[] }> {
  const events: Recorded[] = [];
  const policy = parsePolicy(`apiVersion: audit.k8s.io/v1\nkind: Policy\n${rules}`);
  const clock = { now: () => Date.parse('2026-11-22T07:00:00.123Z'), after: () => () => {} };
  let made = 0;
  const random = { next: () => 0, uuid: () => `audit-${++made}` };
  const sink = { write: (line: string) => void events.push(JSON.parse(line)) };
  const door = await openFrontDoor({ audit: new Auditor(policy, sink, clock, random, new Metrics()) });
  return { door, events };
}

test('metadata: who, what, when, and how it ended', async () => {
  const { door, events } = await audited('rules: [{level: Metadata}]');
  await door.ask('POST', `${MAPS}?dryRun=All`, {
    body: configMap('a'),
    headers: { 'user-agent': 'test/1', 'x-forwarded-for': '10.1.1.1, nonsense' },
  });
  const [received, complete] = events;
  assert.deepEqual(received, {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    auditID: 'audit-1',
    stage: 'RequestReceived',
    requestURI: `${MAPS}?dryRun=All`,
    verb: 'create',
    user: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
    sourceIPs: ['10.1.1.1'],
    userAgent: 'test/1',
    objectRef: { resource: 'configmaps', namespace: 'default', apiVersion: 'v1' },
    requestReceivedTimestamp: '2026-11-22T07:00:00.123000Z',
    stageTimestamp: '2026-11-22T07:00:00.123000Z',
  });
  assert.deepEqual(
    [
      complete?.stage,
      complete?.responseStatus,
      complete?.objectRef,
      complete?.annotations,
      complete?.requestObject,
    ],
    [
      'ResponseComplete',
      { metadata: {}, code: 201 },
      { resource: 'configmaps', namespace: 'default', name: 'a', apiVersion: 'v1' },
      { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
      undefined,
    ],
  );
  assert.equal(events.length, 2);
});

test('refusals, people who ask as others, paths, and watches', async () => {
  const { door, events } = await audited('omitStages: [RequestReceived]\nrules: [{level: Metadata}]');
  await door.ask('GET', `${MAPS}/none`, { headers: { 'impersonate-user': 'eve' } });
  const [forbidden] = events.splice(0);
  assert.deepEqual(
    [forbidden?.user.username, forbidden?.impersonatedUser?.username, forbidden?.responseStatus?.code],
    ['admin', 'eve', 403],
  );
  assert.match(forbidden?.responseStatus?.message ?? '', /User "eve" cannot get resource "configmaps"/);
  assert.match(JSON.stringify(forbidden?.annotations), /"authorization.k8s.io\/decision":"forbid"/);
  await door.ask('GET', '/readyz?verbose', { as: { CN: 'x', O: 'y' } });
  const [health] = events.splice(0);
  assert.deepEqual(
    [health?.verb, health?.requestURI, health?.objectRef],
    ['get', '/readyz?verbose', undefined],
  );
  await door.watch(`${MAPS}?watch=1&allowWatchBookmarks=true`, 1);
  assert.deepEqual(
    events.splice(0).map(({ stage, verb, responseStatus }) => [stage, verb, responseStatus?.code]),
    [
      ['ResponseStarted', 'watch', 200],
      ['ResponseComplete', 'watch', 200],
    ],
  );
});

test('requests and responses: as they were sent and answered, without owners if so wanted', async () => {
  const { door, events } = await audited(
    `omitStages: [RequestReceived]
rules:
- {level: Request, verbs: [patch, delete]}
- {level: RequestResponse, omitManagedFields: true}`,
  );
  await door.ask('POST', MAPS, { body: configMap('b') });
  const [created] = events.splice(0);
  assert.equal(created?.requestObject?.metadata?.name, 'b');
  assert.equal(created?.responseObject?.kind, 'ConfigMap');
  assert.ok(created?.responseObject?.metadata.uid);
  assert.equal(created?.responseObject?.metadata.managedFields, undefined);
  await door.ask('GET', MAPS);
  const [listed] = events.splice(0);
  assert.deepEqual(
    [listed?.responseObject?.kind, listed?.responseObject?.items?.length],
    ['ConfigMapList', 1],
  );
  const headers = { 'content-type': 'application/merge-patch+json' };
  await door.ask('PATCH', `${MAPS}/b`, { headers, body: { data: { x: 'y' } } });
  const [patched] = events.splice(0);
  assert.deepEqual([patched?.requestObject, patched?.responseObject], [{ data: { x: 'y' } }, undefined]);
  await door.ask('GET', `${MAPS}/none`);
  const [missing] = events.splice(0);
  assert.equal(missing?.responseObject?.kind, 'Status');
  await door.ask('DELETE', `${MAPS}/b?propagationPolicy=Background`);
  const [deleted] = events.splice(0);
  assert.deepEqual(deleted?.requestObject, {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    propagationPolicy: 'Background',
  });
});
