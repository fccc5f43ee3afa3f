// The forms of an answer through the front door: indented JSON, tables, metadata only, health.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { allResources } from '../../../api/resources/all.ts';
import { schemaOf } from '../../../api/resources/schema.ts';
import { decodeProtobuf } from '../../protobuf/decode.ts';
import { configMap, pod } from '../../test-objects.ts';
import { type Answered, type FrontDoor, openFrontDoor } from '../test-front-door.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const PODS = '/api/v1/namespaces/default/pods';
const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };

interface Table {
  kind: string;
  columnDefinitions: { name: string; priority: number }[] | null;
  rows: { cells: unknown[]; conditions?: object[]; object: { kind: string; metadata: object } | null }[];
}

let sick: string | undefined;
let door: FrontDoor;
before(async () => {
  door = await openFrontDoor({
    health: [
      { name: 'etcd', check: () => sick },
      { name: 'informer-sync', readinessOnly: true, check: () => undefined },
    ],
  });
  await door.ask('POST', MAPS, { body: configMap('a', { k: 'v' }) });
});

test('JSON is indented for who asks and for people, for nobody else', async () => {
  const indents = async (target: string, agent?: string): Promise<boolean> => {
    const { text } = await door.ask('GET', target, agent ? { headers: { 'user-agent': agent } } : {});
    return text.startsWith('{\n  "');
  };
  assert.equal(await indents(`${MAPS}/a`), false);
  assert.equal(await indents(`${MAPS}/a?pretty=true`), true);
  assert.equal(await indents(`${MAPS}?pretty=1`), true);
  assert.equal(await indents(`${MAPS}/none?pretty=1`), true);
  for (const agent of ['curl/8.0', 'Wget/1.21', 'Mozilla/5.0 (X11)']) {
    assert.equal(await indents(`${MAPS}/a`, agent), true);
    assert.equal(await indents(`${MAPS}/a?pretty=false`, agent), false);
  }
  assert.equal(await indents(`${MAPS}/a`, 'kubectl/v1.36.0'), false);
  assert.equal(await indents('/apis'), false);
  assert.equal(await indents('/apis', 'curl/8.0'), true);
  assert.equal(await indents('/version'), true);
});

test('tables: what rows carry, what has ended, which columns are for -o wide', async () => {
  const table = async (target: string): Promise<Table> =>
    (await door.ask('GET', target, { headers: TABLE })).json();
  const [plain] = (await table(MAPS)).rows;
  assert.deepEqual([plain?.object?.kind, plain?.cells.slice(0, 2)], ['PartialObjectMetadata', ['a', '1']]);
  assert.equal((await table(`${MAPS}?includeObject=Object`)).rows[0]?.object?.kind, 'ConfigMap');
  assert.equal((await table(`${MAPS}?includeObject=None`)).rows[0]?.object, null);
  assert.equal((await table(`${MAPS}/a`)).rows.length, 1);
  const bad = await door.ask('GET', `${MAPS}?includeObject=All`, { headers: TABLE });
  assert.deepEqual(
    [bad.code, bad.json().message],
    [
      400,
      `Unable to convert to Table as requested: includeObject: Invalid value: "All": must be 'Metadata', 'Object', 'None', or empty`,
    ],
  );
  for (const [name, phase] of Object.entries({ done: 'Succeeded', broken: 'Failed', going: 'Running' })) {
    await door.ask('POST', PODS, { body: pod(name) });
    const headers = { 'content-type': 'application/merge-patch+json' };
    await door.ask('PATCH', `${PODS}/${name}/status`, { headers, body: { status: { phase } } });
  }
  const pods = await table(PODS);
  assert.deepEqual(Object.fromEntries(pods.rows.map(({ cells, conditions }) => [cells[0], conditions])), {
    broken: [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }],
    done: [
      {
        type: 'Completed',
        status: 'True',
        reason: 'Succeeded',
        message: 'The pod has completed successfully.',
      },
    ],
    going: undefined,
  });
  const wide = (pods.columnDefinitions ?? [])
    .filter(({ priority }) => priority === 1)
    .map(({ name }) => name);
  assert.deepEqual(wide, ['IP', 'Node', 'Nominated Node', 'Readiness Gates']);
  const event = {
    metadata: { name: 'e', namespace: 'default' },
    involvedObject: { kind: 'Pod', name: 'done', namespace: 'default' },
    reason: 'Started',
    message: 'Started it',
    type: 'Normal',
    lastTimestamp: '2026-11-22T06:59:00Z',
  };
  await door.ask('POST', '/api/v1/namespaces/default/events', { body: event });
  const events = await table('/api/v1/namespaces/default/events');
  const shown = (events.columnDefinitions ?? []).flatMap(({ name, priority }, index) =>
    priority === 0 ? [[name, events.rows[0]?.cells[index]]] : [],
  );
  assert.deepEqual(Object.fromEntries(shown), {
    'Last Seen': '60s',
    Type: 'Normal',
    Reason: 'Started',
    Object: 'pod/done',
    Message: 'Started it',
  });
});

const lines = ({
  text,
}: Answered): { type: string; object: Table & { metadata: { annotations?: object } } }[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

test('a watch of tables has columns once; bookmarks are rows, too', async () => {
  const query = 'watch=1&allowWatchBookmarks=true&fieldSelector=status.phase!=Failed';
  const events = lines(await door.watch(`${PODS}?${query}`, 3, { headers: TABLE }));
  assert.deepEqual(
    events.map(({ type, object }) => [
      type,
      object.kind,
      object.columnDefinitions !== null,
      object.rows.length,
    ]),
    [
      ['ADDED', 'Table', true, 1],
      ['ADDED', 'Table', false, 1],
      ['BOOKMARK', 'Table', false, 1],
    ],
  );
  assert.deepEqual(events.at(-1)?.object.rows[0]?.object?.metadata, {
    resourceVersion: String(await door.server.store.revision()),
    annotations: { 'k8s.io/initial-events-end': 'true' },
  });
});

test('metadata only: lists are lists, objects are not; also for watches and in protobuf', async () => {
  const as = (kind: string, format = 'json') => ({
    headers: { accept: `application/${format};as=${kind};v=v1;g=meta.k8s.io` },
  });
  const lists = await door.ask('GET', MAPS, as('PartialObjectMetadataList'));
  const list = lists.json<{ kind: string; items: object[] }>();
  assert.equal(list.kind, 'PartialObjectMetadataList');
  assert.deepEqual(Object.keys(list.items[0] ?? {}), ['kind', 'apiVersion', 'metadata']);
  const refused = await door.ask('GET', MAPS, as('PartialObjectMetadata'));
  assert.deepEqual(
    [refused.code, refused.json().message],
    [406, 'you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)'],
  );
  const single = await door.ask('GET', `${MAPS}/a`, as('PartialObjectMetadataList'));
  assert.deepEqual(
    [single.code, single.json().message],
    [
      406,
      'you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)',
    ],
  );
  const [first] = lines(await door.watch(`${MAPS}?watch=1`, 1, as('PartialObjectMetadata')));
  assert.equal(first?.object.kind, 'PartialObjectMetadata');
  const protobuf = 'vnd.kubernetes.protobuf';
  const one = await door.ask('GET', `${MAPS}/a`, as('PartialObjectMetadata', protobuf));
  assert.equal(one.headers['content-type'], `application/${protobuf}`);
  const decoded = decodeProtobuf(one.bytes, () => schemaOf(allResources).type('ConfigMap')) as {
    kind: string;
    data?: object;
  };
  assert.deepEqual([decoded.kind, decoded.data], ['PartialObjectMetadata', undefined]);
  const watched = await door.watch(`${MAPS}?watch=1`, 0, as('PartialObjectMetadata', protobuf));
  assert.equal(watched.headers['content-type'], `application/${protobuf};stream=watch`);
});

test('health: every check by its name, some left out, reasons only for who asks for one', async () => {
  const health = async (target: string): Promise<[number, string]> => {
    const { code, text } = await door.ask('GET', target);
    return [code, text];
  };
  assert.deepEqual(await health('/readyz'), [200, 'ok']);
  assert.deepEqual(await health('/livez?verbose'), [200, '[+]ping ok\n[+]etcd ok\nlivez check passed\n']);
  assert.deepEqual(await health('/readyz?verbose&exclude=etcd&exclude=moon'), [
    200,
    '[+]ping ok\n[+]etcd excluded: ok\n[+]informer-sync ok\nwarn: some health checks cannot be excluded: no matches for "moon"\nreadyz check passed\n',
  ]);
  assert.deepEqual(await health('/readyz/etcd'), [200, 'ok']);
  assert.equal((await health('/livez/informer-sync'))[0], 404);
  assert.equal((await door.ask('GET', '/readyz/etcd', { as: { CN: 'eve', O: 'nobody' } })).code, 403);
  sick = 'the disk is gone';
  assert.deepEqual(await health('/readyz'), [
    500,
    '[+]ping ok\n[-]etcd failed: reason withheld\n[+]informer-sync ok\nreadyz check failed\n',
  ]);
  assert.deepEqual(await health('/readyz/etcd'), [500, 'internal server error: the disk is gone\n']);
  assert.deepEqual(await health('/healthz?exclude=etcd'), [200, 'ok']);
});
