import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldReader } from '../protobuf/wire.ts';
import type { JsonObject } from './definitions.ts';
import { encodeOpenApiV2 } from './v2-protobuf.ts';

/** All values of a field of a message, as bytes. */
function all(message: Buffer, field: number): Buffer[] {
  const values = [...new FieldReader().read(message)]
    .filter(({ number }) => number === field)
    .map(({ value }) => value);
  return values.map((value) => (Buffer.isBuffer(value) ? value : Buffer.from(String(value))));
}

/** Follows field numbers into a message; each must be there once. */
function into(message: Buffer, ...path: number[]): Buffer {
  return path.reduce((current, field) => {
    const [value, ...others] = all(current, field);
    assert.ok(
      value && others.length === 0,
      `field ${field} is there ${others.length + (value ? 1 : 0)} times`,
    );
    return value;
  }, message);
}

/** The value under a name among a message's NamedSchema, NamedPathItem, NamedAny, …. */
function named(message: Buffer, field: number, name: string): Buffer {
  const found = all(message, field).find((entry) => into(entry, 1).toString() === name);
  assert.ok(found, `nothing is named ${name}`);
  return into(found, 2);
}

const yaml = (any: Buffer): unknown => JSON.parse(into(any, 2).toString());

const document = (definitions: JsonObject, paths: JsonObject = {}): Buffer =>
  encodeOpenApiV2({ swagger: '2.0', info: { title: 'Kubernetes', version: 'v1' }, paths, definitions });

test('a schema keeps its type, fields, required fields, enum, default and extensions', () => {
  const encoded = document({
    'io.k8s.Set': {
      description: 'A set.',
      type: 'object',
      required: ['names', 'size'],
      properties: {
        size: { type: 'integer', format: 'int32', default: 1 },
        names: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        labels: { type: 'object', additionalProperties: { $ref: '#/definitions/io.k8s.Label' } },
        policy: { type: 'string', enum: ['Delete', 'Retain'] },
      },
      'x-kubernetes-group-version-kind': [{ group: 'apps', version: 'v1', kind: 'Set' }],
    },
  });
  assert.equal(into(encoded, 1).toString(), '2.0');
  assert.equal(into(encoded, 2, 1).toString(), 'Kubernetes');
  const set = named(into(encoded, 9), 1, 'io.k8s.Set');
  assert.equal(into(set, 4).toString(), 'A set.');
  assert.equal(into(set, 22, 1).toString(), 'object');
  assert.deepEqual(all(set, 19).map(String), ['names', 'size']);
  assert.deepEqual(yaml(named(set, 31, 'x-kubernetes-group-version-kind')), [
    { group: 'apps', version: 'v1', kind: 'Set' },
  ]);
  const property = (name: string): Buffer => named(into(set, 25), 1, name);
  assert.equal(into(property('size'), 2).toString(), 'int32');
  assert.equal(yaml(into(property('size'), 5)), 1);
  assert.equal(into(property('names'), 23, 1, 22, 1).toString(), 'string');
  assert.equal(yaml(named(property('names'), 31, 'x-kubernetes-list-type')), 'set');
  assert.equal(into(property('labels'), 21, 1, 1).toString(), '#/definitions/io.k8s.Label');
  assert.deepEqual(all(property('policy'), 20).map(yaml), ['Delete', 'Retain']);
});

test('an operation keeps its parameters by place, its media types, its answers and what it is about', () => {
  const kind = { group: 'apps', version: 'v1', kind: 'Set' };
  const encoded = document(
    {},
    {
      '/sets/{name}': {
        patch: {
          description: 'patch Set',
          operationId: 'patchSet',
          consumes: ['application/json-patch+json', 'application/merge-patch+json'],
          parameters: [
            { name: 'dryRun', in: 'query', type: 'string', description: 'dry', uniqueItems: true },
            { name: 'body', in: 'body', required: true, schema: { $ref: '#/definitions/Patch' } },
          ],
          responses: { 200: { description: 'OK', schema: { $ref: '#/definitions/Set' } } },
          'x-kubernetes-group-version-kind': kind,
        },
        parameters: [{ name: 'name', in: 'path', type: 'string', description: 'name', required: true }],
      },
    },
  );
  const path = named(into(encoded, 8), 2, '/sets/{name}');
  assert.equal(into(path, 9, 1, 2, 4, 4).toString(), 'name');
  const patch = into(path, 8);
  assert.equal(into(patch, 5).toString(), 'patchSet');
  assert.deepEqual(all(patch, 7).map(String), [
    'application/json-patch+json',
    'application/merge-patch+json',
  ]);
  const [query, body] = all(patch, 8);
  assert.ok(query && body);
  assert.equal(into(query, 1, 2, 3, 4).toString(), 'dryRun');
  assert.equal(into(query, 1, 2, 3, 20).toString(), '1');
  assert.equal(into(body, 1, 1, 5, 1).toString(), '#/definitions/Patch');
  assert.equal(into(named(into(patch, 9), 1, '200'), 1, 2, 1, 1).toString(), '#/definitions/Set');
  assert.deepEqual(yaml(named(patch, 13, 'x-kubernetes-group-version-kind')), kind);
});

test('what the table of fields does not know is refused, not lost', () => {
  assert.throws(() => document({ Set: { maximum: 3 } }), /no field for "maximum"/);
  assert.throws(() => document({ Set: { type: 3 } }), /a string was expected, not 3/);
  const parameters = [{ name: 'token', in: 'header', type: 'string' }];
  assert.throws(() => document({}, { '/sets': { parameters } }), /a parameter was expected/);
});
