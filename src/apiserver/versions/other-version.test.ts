// A kind that is stored in one version and served in two, of one group: whatever the API does, it does in both.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invalidValue } from '../../api/errors.ts';
import type { KubeObject } from '../../api/objects.ts';
import type { ResourceDefinition, StoredVersion } from '../../api/resource.ts';
import { column, nameColumn } from '../../api/resources/shared/columns.ts';
import { statusStrategy } from '../../api/resources/shared/status-strategy.ts';
import { ALL_VERBS } from '../../api/resources/shared/verbs.ts';
import { embedded, mergedBy, pointer } from '../../api/schema/facts.ts';
import type { FieldSchema, TypeTable } from '../../api/schema/schema.ts';
import { openFrontDoor } from '../http/test-front-door.ts';
import { encodeProtobuf } from '../protobuf/encode.ts';

const object = (spec: string): Record<string, FieldSchema> => ({
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: { type: 'object', ref: 'ObjectMeta', ...embedded },
  spec: { type: 'object', ref: spec, ...embedded },
  status: { type: 'object', ref: 'CraneStatus', ...embedded },
});
const typesV1: TypeTable = {
  CraneV1: { goName: 'Crane', properties: object('CraneV1Spec') },
  CraneV1Spec: {
    goName: 'CraneSpec',
    properties: { kilograms: { type: 'integer', format: 'int64', default: 1000 }, ropes: { type: 'string' } },
  },
  CraneStatus: { numbers: 'busy', properties: { busy: { type: 'boolean', ...pointer } } },
};
const typesV2: TypeTable = {
  CraneV2: { goName: 'Crane', numbers: 'metadata spec status', properties: object('CraneV2Spec') },
  CraneV2Spec: {
    goName: 'CraneSpec',
    numbers: 'tonnes ropes',
    properties: {
      tonnes: { type: 'integer', format: 'int64', default: 1 },
      ropes: { type: 'array', items: { type: 'object', ref: 'Rope' }, ...mergedBy('name') },
    },
  },
  Rope: { numbers: 'name', required: ['name'], properties: { name: { type: 'string' } } },
};

interface CraneV1 extends KubeObject {
  spec: { kilograms?: number; ropes?: string };
  status?: { busy?: boolean };
}
interface CraneV2 extends KubeObject {
  spec: { tonnes?: number; ropes?: { name: string }[] };
  status?: { busy?: boolean };
}

const shared = {
  group: 'example.com',
  kind: 'Crane',
  plural: 'cranes',
  singular: 'crane',
  shortNames: [],
  categories: [],
  namespaced: true,
  verbs: ALL_VERBS,
  hasStatus: true,
  countsGeneration: true,
};
const cranesV1: ResourceDefinition<CraneV1> = {
  ...shared,
  version: 'v1',
  schema: 'CraneV1',
  types: [() => typesV1],
  selectableFields: { 'spec.ropes': ({ spec }) => spec.ropes ?? '' },
  columns: [nameColumn(), column('Kilograms', 'What it lifts.', ({ spec }) => `${spec.kilograms}`)],
  strategy: statusStrategy<CraneV1>(() => ({})),
};
const validateV2 = ({ spec }: CraneV2) =>
  (spec.tonnes ?? 0) > 9 ? [invalidValue('spec.tonnes', spec.tonnes, 'too heavy')] : [];
const storedAs: StoredVersion<CraneV2, CraneV1> = {
  resource: cranesV1,
  toStored({ spec, ...rest }): CraneV1 {
    const ropes = spec.ropes?.map(({ name }) => name).join(',');
    return { ...rest, spec: { kilograms: (spec.tonnes ?? 0) * 1000, ...(ropes && { ropes }) } };
  },
  fromStored({ spec, ...rest }): CraneV2 {
    const { kilograms = 0, ropes } = spec;
    const names = ropes ? ropes.split(',').map((name) => ({ name })) : undefined;
    return { ...rest, spec: { tonnes: kilograms / 1000, ...(names && { ropes: names }) } };
  },
};
const cranesV2: ResourceDefinition<CraneV2> = {
  ...shared,
  version: 'v2',
  schema: 'CraneV2',
  types: [() => typesV2],
  columns: [nameColumn(), column('Tonnes', 'What it lifts.', ({ spec }) => `${spec.tonnes}`)],
  strategy: { validateCreate: validateV2, validateUpdate: validateV2 },
  storedAs,
};

const V1 = '/apis/example.com/v1/namespaces/default/cranes';
const V2 = '/apis/example.com/v2/namespaces/default/cranes';
const crane = (version: string, name: string, spec: object): object => ({
  apiVersion: `example.com/${version}`,
  kind: 'Crane',
  metadata: { name },
  spec,
});

test('a kind of two versions is one object, read and written in either', async () => {
  const { ask, watch, server } = await openFrontDoor();
  assert.throws(() => server.api.addResource(cranesV2), /stored as something that is not served/);
  server.api.addResource(cranesV1);
  server.api.addResource(cranesV2);
  const spec = async (path: string): Promise<unknown> => (await ask('GET', path)).json<CraneV1>().spec;

  assert.equal((await ask('POST', V2, { body: crane('v2', 'a', { ropes: [{ name: 'x' }] }) })).code, 201);
  assert.deepEqual(await spec(`${V1}/a`), { kilograms: 1000, ropes: 'x' });
  assert.deepEqual(await spec(`${V2}/a`), { tonnes: 1, ropes: [{ name: 'x' }] });
  const heavy = await ask('POST', V2, { body: crane('v2', 'b', { tonnes: 10 }) });
  assert.match(heavy.text, /Crane.example.com \\"b\\" is invalid: spec.tonnes: Invalid value: 10: too heavy/);
  const wrong = await ask('POST', V2, { body: crane('v1', 'b', {}) });
  assert.match(wrong.text, /does not match the expected API version \(example.com\/v2\)/);

  const patch = (kind: string, body: unknown, query = '') =>
    ask('PATCH', `${V2}/a${query}`, { body, headers: { 'content-type': `application/${kind}` } });
  const more = { spec: { ropes: [{ name: 'y' }] } };
  const merged = await patch('strategic-merge-patch+json', more);
  assert.deepEqual(merged.json<CraneV2>().spec.ropes, [{ name: 'y' }, { name: 'x' }]);
  assert.deepEqual(await spec(`${V1}/a`), { kilograms: 1000, ropes: 'y,x' });
  const applied = await patch(
    'apply-patch+yaml',
    crane('v2', 'a', { tonnes: 2 }),
    '?fieldManager=me&force=true',
  );
  assert.equal(applied.code, 200, applied.text);
  assert.deepEqual(await spec(`${V1}/a`), { kilograms: 2000, ropes: 'y,x' });
  const owners = applied.json<CraneV2>().metadata.managedFields ?? [];
  assert.deepEqual(
    owners.map(({ manager, operation, apiVersion }) => [manager, operation, apiVersion]),
    [
      ['me', 'Apply', 'example.com/v2'],
      ['unknown', 'Update', 'example.com/v2'],
    ],
  );

  const busy = { ...crane('v2', 'a', { tonnes: 5 }), status: { busy: true } };
  const status = await ask('PUT', `${V2}/a/status`, { body: busy });
  assert.equal(status.code, 200, status.text);
  const { spec: kept, status: written, metadata } = (await ask('GET', `${V1}/a`)).json<CraneV1>();
  assert.deepEqual([kept.kilograms, written, metadata.generation], [2000, { busy: true }, 3]);

  const asTable = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const cells = async (path: string): Promise<unknown> =>
    (await ask('GET', path, { headers: asTable })).json<{ rows: { cells: unknown[] }[] }>().rows[0]?.cells;
  assert.deepEqual(
    [await cells(V1), await cells(V2)],
    [
      ['a', '2000'],
      ['a', '2'],
    ],
  );
  const seen = await watch(
    `${V2}?watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`,
    2,
  );
  const events = seen.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    events.map(({ type, object: { apiVersion, spec: told } }) => [type, apiVersion, told?.tonnes]),
    [
      ['ADDED', 'example.com/v2', 2],
      ['BOOKMARK', 'example.com/v2', undefined],
    ],
  );

  const protobuf = 'application/vnd.kubernetes.protobuf';
  const bytes = encodeProtobuf(server.api.schema.type('CraneV2'), crane('v2', 'p', { tonnes: 3 }));
  const sent = await ask('POST', V2, {
    body: bytes,
    headers: { 'content-type': protobuf, accept: protobuf },
  });
  assert.deepEqual([sent.code, sent.headers['content-type']], [201, protobuf]);
  assert.deepEqual(await spec(`${V1}/p`), { kilograms: 3000 });

  const group = (await ask('GET', '/apis/example.com')).json<{
    versions: { version: string }[];
    preferredVersion: { version: string };
  }>();
  assert.deepEqual(
    group.versions.map(({ version }) => version),
    ['v2', 'v1'],
  );
  assert.equal(group.preferredVersion.version, 'v2');
  assert.match((await ask('GET', '/openapi/v3/apis/example.com/v2')).text, /"tonnes"/);
  assert.match((await ask('GET', '/openapi/v2')).text, /"kilograms".*"tonnes"/);

  assert.equal((await ask('DELETE', `${V2}/a`)).code, 200);
  assert.equal((await ask('GET', `${V1}/a`)).code, 404);
  server.api.removeResource(cranesV2);
  assert.deepEqual([(await ask('GET', V2)).code, (await ask('GET', V1)).code], [404, 200]);
  server.api.addResource(cranesV2);
  server.api.removeResource(cranesV1);
  assert.deepEqual([(await ask('GET', V2)).code, (await ask('GET', V1)).code], [404, 404]);
  server.api.stop();
});
