// What /metrics says, in upstream's names and labels.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap } from '../../test-objects.ts';
import { openFrontDoor } from '../test-front-door.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';

test('requests, watches, objects and queues by upstream labels', async () => {
  const door = await openFrontDoor();
  await door.ask('POST', `${MAPS}?dryRun=All`, { body: configMap('a') });
  const headers = { 'content-type': 'application/apply-patch+yaml' };
  await door.ask('PATCH', `${MAPS}/a?fieldManager=me`, { headers, body: configMap('a') });
  await door.watch(`${MAPS}?watch=1`, 1);
  await door.ask('BREW', '/coffee');
  const { text } = await door.ask('GET', '/metrics');
  const value = (name: string, ...labels: string[]): number | undefined => {
    const line = text
      .split('\n')
      .find((each) => each.startsWith(`${name}{`) && labels.every((label) => each.includes(label)));
    return line === undefined ? undefined : Number(line.split(' ').at(-1));
  };
  const REQUESTS = 'apiserver_request_total';
  const own = ['resource="configmaps"', 'component="apiserver"'];
  assert.equal(value(REQUESTS, 'verb="POST"', 'dry_run="All"', 'scope="resource"', 'code="201"', ...own), 1);
  assert.equal(value(REQUESTS, 'verb="APPLY"', 'dry_run=""', 'code="201"', ...own), 1);
  assert.equal(value(REQUESTS, 'verb="WATCH"', 'scope="namespace"', ...own), 1);
  assert.equal(value(REQUESTS, 'verb="other"', 'code="405"'), 1);
  assert.equal(value('apiserver_longrunning_requests', 'verb="WATCH"', ...own), 0);
  assert.ok(
    (value('apiserver_watch_events_total', 'group=""', 'version="v1"', 'resource="configmaps"') ?? 0) >= 1,
  );
  assert.ok((value('apiserver_resource_objects', 'group=""', 'resource="configmaps"') ?? 0) >= 1);
  assert.equal(value('apiserver_flowcontrol_nominal_limit_seats', 'priority_level="mutating"'), 200);
  assert.ok(
    (value('apiserver_flowcontrol_dispatched_requests_total', 'priority_level="mutating"') ?? 0) >= 2,
  );
  assert.equal(value('apiserver_flowcontrol_rejected_requests_total', 'reason="queue-full"'), 0);
  assert.equal(value('etcd_requests_total', 'operation="create"', 'resource="configmaps"'), 1);
  assert.equal(
    value('etcd_request_duration_seconds_count', 'operation="create"', 'resource="configmaps"'),
    1,
  );
  assert.equal(value('kubernetes_build_info', 'major="1"'), 1);
  for (const name of ['process_virtual_memory_bytes', 'process_max_fds']) {
    assert.match(text, new RegExp(`^${name} [1-9]\\d*$`, 'm'));
  }
});
