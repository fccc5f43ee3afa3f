// The worked example of a new kind: one folder's worth of values, served by a running server with everything that the
// API has, and gone again without a trace. A kind that is always served stands in api/resources/<kind>/ and is named in
// api/resources/all.ts; nothing else differs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FieldError, invalidValue } from '../api/errors.ts';
import type { KubeObject } from '../api/objects.ts';
import type { ResourceDefinition } from '../api/resource.ts';
import { ageColumn, column, nameColumn } from '../api/resources/shared/columns.ts';
import { statusStrategy } from '../api/resources/shared/status-strategy.ts';
import { ALL_VERBS } from '../api/resources/shared/verbs.ts';
import { embedded, enumType, mergedBy, pointer } from '../api/schema/facts.ts';
import type { TypeTable } from '../api/schema/schema.ts';
import { openFrontDoor } from './http/test-front-door.ts';
import { encodeProtobuf } from './protobuf/encode.ts';
import { startTestServer } from './test-server.ts';

// boats/types.ts: the fields, and what is known of them.

const types: TypeTable = {
  Boat: {
    goPackage: 'com.example.v1',
    numbers: 'metadata spec status',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', ref: 'ObjectMeta', ...embedded },
      spec: { type: 'object', ref: 'BoatSpec', ...embedded },
      status: { type: 'object', ref: 'BoatStatus', ...embedded },
    },
    descriptions: () => ({ '': 'Boat is what floats.' }),
  },
  BoatSpec: {
    goPackage: 'com.example.v1',
    numbers: 'masts crew rig hold',
    required: ['crew'],
    properties: {
      masts: { type: 'integer', format: 'int32', presence: 'pointer', default: 1 },
      crew: { type: 'array', items: { type: 'object', ref: 'Mate' }, ...mergedBy('name') },
      rig: { type: 'string', enum: enumType('Rig', 'Gaff', 'Lug') },
      hold: { type: 'map', values: { type: 'string', quantity: true } },
    },
    setDefaults(spec) {
      // More masts than one are gaff-rigged.
      if (!('rig' in spec)) Object.assign(spec, { rig: Reflect.get(spec, 'masts') === 1 ? 'Lug' : 'Gaff' });
    },
  },
  BoatStatus: {
    numbers: 'afloat',
    properties: { afloat: { type: 'boolean', ...pointer } },
  },
  Mate: {
    numbers: 'name duty',
    required: ['name'],
    properties: { name: { type: 'string' }, duty: { type: 'string', default: 'deck' } },
  },
};

// boats/validation.ts

interface Boat extends KubeObject {
  spec: { masts?: number; crew: { name: string; duty?: string }[]; rig?: string; hold?: object };
  status?: { afloat?: boolean };
}

function validateBoat({ spec }: Boat): FieldError[] {
  return (spec.masts ?? 0) < 1 ? [invalidValue('spec.masts', spec.masts, 'a boat has a mast')] : [];
}

// boats/definition.ts

const boats: ResourceDefinition<Boat> = {
  group: 'example.com',
  version: 'v1',
  kind: 'Boat',
  plural: 'boats',
  singular: 'boat',
  shortNames: ['bo'],
  categories: ['all'],
  namespaced: true,
  schema: 'Boat',
  types: [() => types],
  verbs: ALL_VERBS,
  hasStatus: true,
  countsGeneration: true,
  selectableFields: { 'spec.rig': ({ spec }) => spec.rig ?? '' },
  columns: [nameColumn(), column('Crew', 'How many.', ({ spec }) => `${spec.crew.length}`), ageColumn()],
  strategy: {
    ...statusStrategy<Boat>(() => ({})),
    validateCreate: validateBoat,
    validateUpdate: validateBoat,
  },
};

const GROUP = '/apis/example.com/v1';
const BOATS = `${GROUP}/namespaces/default/boats`;
const boat = (name: string, spec: object = {}): object => ({
  apiVersion: 'example.com/v1',
  kind: 'Boat',
  metadata: { name },
  spec: { crew: [{ name: 'ann' }], ...spec },
});
const patch = (kind: string): Record<string, string> => ({ 'content-type': `application/${kind}` });

test('a new kind has verbs, defaults, validation, patches, apply, watch, table, documents and protobuf', async () => {
  const { ask, watch, server } = await openFrontDoor();
  server.api.addResource(boats);

  const made = await ask('POST', BOATS, { body: boat('a', { hold: { rum: '1000m' } }) });
  assert.equal(made.code, 201, made.text);
  assert.deepEqual(made.json<Boat>().spec, {
    masts: 1,
    crew: [{ name: 'ann', duty: 'deck' }],
    rig: 'Lug',
    hold: { rum: '1' },
  });
  const refused = await ask('POST', BOATS, { body: boat('b', { masts: 0 }) });
  assert.deepEqual(
    [refused.code, refused.json().message],
    [422, 'Boat.example.com "b" is invalid: spec.masts: Invalid value: 0: a boat has a mast'],
  );
  const mistyped = await ask('POST', BOATS, { body: boat('b', { rig: 1 }) });
  assert.match(
    mistyped.text,
    /json: cannot unmarshal number into Go struct field BoatSpec.spec.rig of type v1.Rig/,
  );

  const mates = async (kind: string, body: unknown, query = ''): Promise<string> => {
    const answer = await ask('PATCH', `${BOATS}/a${query}`, { body, headers: patch(kind) });
    assert.equal(answer.code, 200, answer.text);
    return answer
      .json<Boat>()
      .spec.crew.map(({ name, duty }) => `${name}:${duty}`)
      .join(' ');
  };
  const bob = { spec: { crew: [{ name: 'bob' }] } };
  assert.equal(await mates('strategic-merge-patch+json', bob), 'bob:deck ann:deck');
  const cook = [{ op: 'replace', path: '/spec/crew/0/duty', value: 'cook' }];
  assert.equal(await mates('json-patch+json', cook), 'bob:cook ann:deck');
  const alone = { spec: { crew: [{ name: 'ann' }] } };
  assert.equal(await mates('merge-patch+json', alone), 'ann:deck');
  const applied = { ...boat('a'), spec: { crew: [{ name: 'cy', duty: 'helm' }] } };
  assert.equal(await mates('apply-patch+yaml', applied, '?fieldManager=me'), 'ann:deck cy:helm');
  const owned = (await ask('GET', `${BOATS}/a`)).text;
  assert.match(owned, /"f:crew":\{"k:\{\\?"name\\?":\\?"cy\\?"\}"/);
  assert.equal(
    (await ask('PUT', `${BOATS}/a/status`, { body: { ...boat('a'), status: { afloat: true } } })).code,
    200,
  );

  const selected = await ask('GET', `${BOATS}?fieldSelector=spec.rig%3DLug`);
  assert.equal(selected.json<{ items: unknown[] }>().items.length, 1);
  const table = await ask('GET', BOATS, {
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  });
  assert.deepEqual(table.json<{ rows: { cells: unknown[] }[] }>().rows[0]?.cells.slice(0, 2), ['a', '2']);
  const seen = await watch(`${BOATS}?watch=1`, 1);
  assert.match(seen.text, /^\{"type":"ADDED","object":\{"kind":"Boat"/);

  assert.match((await ask('GET', GROUP)).text, /"name":"boats\/status"/);
  assert.match((await ask('GET', '/openapi/v2')).text, /com\.example\.v1\.Boat"/);
  const v3 = (await ask('GET', '/openapi/v3/apis/example.com/v1')).text;
  assert.match(v3, /Boat is what floats/);
  assert.match(v3, /"x-kubernetes-list-map-keys":\["name"\]/);

  const protobuf = 'application/vnd.kubernetes.protobuf';
  const bytes = encodeProtobuf(server.api.schema.type('Boat'), {
    ...boat('p', { masts: 2 }),
    apiVersion: 'example.com/v1',
    kind: 'Boat',
  });
  const sent = await ask('POST', BOATS, {
    body: bytes,
    headers: { 'content-type': protobuf, accept: protobuf },
  });
  assert.deepEqual([sent.code, sent.headers['content-type']], [201, protobuf]);
  assert.equal((await ask('GET', `${BOATS}/p`)).json<Boat>().spec.rig, 'Gaff');
  server.api.stop();
});

test('a kind that goes leaves nothing behind, and finds its objects when it comes again', async () => {
  const { ask, server } = await openFrontDoor();
  const { api } = server;
  const documents = async (): Promise<string[]> =>
    Promise.all(['/apis', '/openapi/v2', '/openapi/v3'].map(async (path) => (await ask('GET', path)).text));
  const before = await documents();
  let changes = 0;
  const end = api.onResourcesChange(() => {
    changes++;
  });
  api.addResource(boats);
  await ask('POST', BOATS, { body: boat('a') });
  const result = await api.handle(server.request('watch', 'pods', { resource: boats }));
  assert.ok(result.type === 'watch');
  assert.equal((await result.stream.next())?.[0]?.type, 'ADDED');

  api.removeResource(boats);
  assert.equal(await result.stream.next(), undefined, 'the watch has ended');
  assert.equal((await ask('GET', BOATS)).code, 404);
  await assert.rejects(api.handle(server.request('list', 'pods', { resource: boats })), { code: 404 });
  assert.deepEqual(await documents(), before);
  assert.equal(api.schema.find('Boat'), undefined);

  api.addResource({ ...boats, types: [() => ({ ...types })] });
  assert.equal((await ask('GET', `${BOATS}/a`)).code, 200);
  assert.equal(changes, 3);
  end();
  api.removeResource(boats);
  assert.equal(changes, 3);
  api.stop();
});

test('two servers have a kind of one name each, and do not see each other’s', async () => {
  const [one, other] = await Promise.all([startTestServer(), startTestServer()]);
  one.api.addResource(boats);
  const rafts: ResourceDefinition<Boat> = {
    ...boats,
    types: [() => ({ ...types, Mate: { required: ['rank'], properties: { rank: { type: 'string' } } } })],
  };
  other.api.addResource(rafts);
  const body = boat('a', { crew: [{ name: 'ann', rank: 'captain' }] });
  const crew = async ({ object }: typeof one, resource: ResourceDefinition): Promise<unknown> =>
    (await object<Boat>('create', 'pods', { resource, body: structuredClone(body) })).spec.crew;
  assert.deepEqual(await crew(one, boats), [{ name: 'ann', duty: 'deck' }]);
  assert.deepEqual(await crew(other, rafts), [{ rank: 'captain' }]);
  one.api.stop();
  other.api.stop();
});

test('a kind whose type has a name that is taken is not served, and changes nothing', async () => {
  const server = await startTestServer();
  const clashing = { ...boats, types: [() => types, () => ({ Pod: { properties: {} } })] };
  assert.throws(() => server.api.addResource(clashing), /the schema has a type "Pod" already/);
  assert.equal(server.api.schema.find('Boat'), undefined);
  assert.equal(server.api.resource('example.com', 'v1', 'boats'), undefined);
  server.api.addResource(boats);
  server.api.stop();
});
