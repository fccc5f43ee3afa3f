// Options of lists and watches through the front door: which go together, versions that are none or not yet, pages
// whose revision is gone.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { configMap } from '../../test-objects.ts';
import { type FrontDoor, openFrontDoor } from '../test-front-door.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const FORBIDDEN = 'ListOptions.meta.k8s.io "" is invalid: ';

interface List {
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: { metadata: { name: string } }[];
  message?: string;
  code?: number;
  reason?: string;
  details?: { retryAfterSeconds: number; causes: { reason: string; message: string }[] };
}

let door: FrontDoor;
before(async () => {
  door = await openFrontDoor();
  for (const name of ['a', 'b', 'c', 'd']) await door.ask('POST', MAPS, { body: configMap(name) });
});

const list = async (query: string): Promise<List> => (await door.ask('GET', `${MAPS}?${query}`)).json<List>();

test('what does not go together is refused in upstream words', async () => {
  const { continue: token = '' } = (await list('limit=1')).metadata;
  const cases: [query: string, message: string][] = [
    [
      'resourceVersionMatch=Exact',
      'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    ],
    [
      'resourceVersionMatch=Exact&resourceVersion=0',
      'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    [
      `resourceVersionMatch=Exact&resourceVersion=1&continue=${token}`,
      'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided',
    ],
    [
      'resourceVersionMatch=Near&resourceVersion=1',
      'resourceVersionMatch: Unsupported value: "Near": supported values: "Exact", "NotOlderThan", ""',
    ],
    ['sendInitialEvents=true', 'sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list'],
    [
      'watch=1&sendInitialEvents=true',
      'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ],
    [
      'watch=1&resourceVersionMatch=NotOlderThan',
      'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    ],
    [
      'watch=1&resourceVersionMatch=Exact&sendInitialEvents=false',
      '[resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
    ],
    [
      `watch=1&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&continue=${token}`,
      'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided',
    ],
  ];
  for (const [query, message] of cases) {
    const answer = await list(query);
    assert.deepEqual([answer.code, answer.message], [422, FORBIDDEN + message], query);
  }
  const both = await list(`continue=${token}&resourceVersion=5`);
  assert.deepEqual(
    [both.code, both.message],
    [400, 'specifying resource version is not allowed when using continue'],
  );
  assert.equal((await list(`continue=${token}&resourceVersion=0`)).items.length, 3);
  assert.match(
    (await list('continue=nonsense')).message ?? '',
    /^invalid continue token: continue key is not valid/,
  );
  assert.equal((await list('limit=many')).message, 'strconv.ParseInt: parsing "many": invalid syntax');
});

test('a version that is no number, or past all numbers', async () => {
  const wrong = (text: string, why: string): string =>
    `resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": ${why}`;
  const cases = [
    ['abc', 'invalid syntax'],
    ['-1', 'invalid syntax'],
    ['18446744073709551616', 'value out of range'],
  ] as const;
  for (const [text, why] of cases) {
    const answer = await list(`resourceVersion=${text}`);
    assert.deepEqual([answer.code, answer.message], [400, `invalid resource version: ${wrong(text, why)}`]);
    const one = (await door.ask('GET', `${MAPS}/a?resourceVersion=${text}`)).json<List>();
    assert.deepEqual([one.code, one.message], [400, `invalid resource version: ${wrong(text, why)}`]);
    const watch = await list(`watch=1&resourceVersion=${text}`);
    assert.deepEqual([watch.code, watch.message], [422, `configmaps "" is invalid: ${wrong(text, why)}`]);
  }
});

test('a version that is not yet: a timeout that tells when to come back', async () => {
  const { resourceVersion } = (await list('')).metadata;
  for (const asked of ['1000000', '18446744073709551615']) {
    for (const path of [`${MAPS}?resourceVersion=${asked}`, `${MAPS}/a?resourceVersion=${asked}`]) {
      const answered = await door.ask('GET', path);
      const { code, reason, message, details } = answered.json<List>();
      assert.deepEqual(
        { code, reason, message, details, header: answered.headers['retry-after'] },
        {
          code: 504,
          reason: 'Timeout',
          message: `Too large resource version: ${asked}, current: ${resourceVersion}`,
          details: {
            retryAfterSeconds: 1,
            causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
          },
          header: 1,
        },
      );
    }
  }
  const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=1000000';
  const watched = await door.watch(`${MAPS}?${query}`, 1);
  const event = watched.json<{ type: string; object: { reason: string } }>();
  assert.deepEqual([event.type, event.object.reason], ['ERROR', 'Timeout']);
});

test('pages of a revision that is gone: told so, with a token to go on at the newest', async () => {
  const first = await list('limit=2');
  assert.deepEqual([first.items.length, first.metadata.remainingItemCount], [2, 2]);
  await door.ask('DELETE', `${MAPS}/d`);
  await door.ask('POST', MAPS, { body: configMap('e') });
  const second = await list(`limit=1&continue=${first.metadata.continue}`);
  assert.deepEqual(
    second.items.map(({ metadata }) => metadata.name),
    ['c'],
  );
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  await door.server.store.compact(await door.server.store.revision());
  const gone = await list(`continue=${second.metadata.continue}`);
  assert.deepEqual([gone.code, gone.reason], [410, 'Expired']);
  assert.match(gone.message ?? '', /or use the continue token in this response to retrieve the remainder/);
  const rest = await list(`continue=${gone.metadata.continue}`);
  assert.deepEqual(
    rest.items.map(({ metadata }) => metadata.name),
    ['e', 'kube-root-ca.crt'].slice(0, rest.items.length),
  );
  assert.notEqual(rest.metadata.resourceVersion, first.metadata.resourceVersion);
  const old = await list(`resourceVersion=${first.metadata.resourceVersion}&resourceVersionMatch=Exact`);
  assert.deepEqual([old.code, old.message], [410, 'The resourceVersion for the provided list is too old.']);
});

test('a watch that names no version says where the initial events end', async () => {
  const watched = await door.watch(`${MAPS}?watch=1&allowWatchBookmarks=true`, 5);
  const events = watched.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const last = events.at(-1);
  assert.deepEqual(
    [last.type, last.object.metadata.annotations],
    ['BOOKMARK', { 'k8s.io/initial-events-end': 'true' }],
  );
});
