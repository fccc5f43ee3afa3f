// Who lives in the server's process is asked for its rights, and recorded, as who comes over HTTP is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '../base/metrics.ts';
import { Auditor } from './audit/auditor.ts';
import { parsePolicy } from './audit/policy.ts';
import { authorized } from './authorized.ts';
import type { ResourceAttributes } from './authz/authorize.ts';
import { configMap } from './test-objects.ts';
import { startTestServer } from './test-server.ts';

interface Recorded {
  stage: string;
  verb: string;
  requestURI: string;
  user: { username: string };
  responseStatus?: { code: number };
}

test('a user does what it may, and nothing else; all of it is recorded', async () => {
  const { api, clock, request } = await startTestServer();
  const events: Recorded[] = [];
  const policy = parsePolicy('apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n');
  const sink = { write: (line: string) => void events.push(JSON.parse(line)) };
  const random = { next: () => 0, uuid: () => 'id' };
  const asked: ResourceAttributes[] = [];
  const mayRead = (_user: object, attributes: object) => {
    if ('resource' in attributes) asked.push(attributes as ResourceAttributes);
    const verb = asked.at(-1)?.verb ?? '';
    return { allowed: ['list', 'watch', 'update'].includes(verb), reason: '' };
  };
  const front = authorized(api, mayRead, new Auditor(policy, sink, clock, random, new Metrics()));
  const user = { name: 'reader', groups: [] };

  await assert.rejects(front.handle(request('create', 'configmaps', { user, body: configMap('a') })), {
    message:
      'configmaps is forbidden: User "reader" cannot create resource "configmaps" in API group "" in the namespace "default"',
  });
  const options = { fieldSelector: 'metadata.name=a' };
  const listed = await front.handle(request('list', 'configmaps', { user, options }));
  assert.equal(listed.type === 'list' && listed.list.items.length, 0);
  assert.equal(asked.at(-1)?.name, 'a');
  // To update what is not there is to create it, of a kind whose PUT does that.
  const lease = { metadata: { name: 'l' }, spec: {} };
  await assert.rejects(
    front.handle(request('update', 'leases', { user, name: 'l', body: lease })),
    /cannot create resource "leases"/,
  );
  const watched = await front.handle(request('watch', 'configmaps', { user }));
  assert.ok(watched.type === 'watch');
  watched.stream.stop();
  watched.stream.stop();

  const map = '/api/v1/namespaces/default/configmaps';
  assert.deepEqual(
    events
      .filter(({ stage }) => stage !== 'RequestReceived')
      .map((event) => [event.stage, event.verb, event.requestURI, event.responseStatus?.code]),
    [
      ['ResponseComplete', 'create', map, 403],
      ['ResponseComplete', 'list', `${map}?fieldSelector=metadata.name%3Da`, 200],
      ['ResponseComplete', 'update', '/apis/coordination.k8s.io/v1/namespaces/default/leases/l', 403],
      ['ResponseStarted', 'watch', `${map}?watch=true`, 200],
      ['ResponseComplete', 'watch', `${map}?watch=true`, 200],
    ],
  );
  assert.ok(events.every((event) => event.user.username === 'reader'));
  api.stop();
});
