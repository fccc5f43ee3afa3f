import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allResources } from '../../api/resources/all.ts';
import { schemaOf } from '../../api/resources/schema.ts';
import type { StructType } from '../../api/schema/schema.ts';
import { decodeProtobuf } from './decode.ts';

/** A length-delimited field. */
const field = (number: number, ...parts: (Buffer | string)[]): Buffer => {
  const value = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint((number << 3) | 2), varint(value.length), value]);
};
const number = (tag: number, value: number): Buffer => Buffer.concat([varint(tag << 3), varint(value)]);

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

const envelope = (apiVersion: string, kind: string, raw: Buffer): Buffer =>
  Buffer.concat([Buffer.from('k8s\0'), field(1, field(1, apiVersion), field(2, kind)), field(2, raw)]);

const schema = schemaOf(allResources);
const asKind = (_apiVersion: string, kind: string): StructType | undefined => schema.find(kind);

test('a pod: nested messages, lists, maps, quantities, inlined sources, times', () => {
  const metadata = field(
    1,
    field(1, 'web-0'),
    field(8, number(1, 1_700_000_000)),
    field(11, field(1, 'app'), field(2, 'x')),
  );
  const volume = field(1, field(1, 'data'), field(2, field(10, field(1, 'claim'), number(2, 1))));
  const limits = field(1, field(1, 'cpu'), field(2, field(1, '500m')));
  const container = field(
    2,
    field(1, 'main'),
    field(2, 'nginx'),
    field(8, limits),
    field(3, 'a'),
    field(3, 'b'),
  );
  const pod = Buffer.concat([metadata, field(2, volume, container, number(4, 30), number(11, 1))]);
  assert.deepEqual(decodeProtobuf(envelope('v1', 'Pod', pod), asKind), {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-0', creationTimestamp: '2023-11-14T22:13:20Z', labels: { app: 'x' } },
    spec: {
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'claim', readOnly: true } }],
      containers: [
        { name: 'main', image: 'nginx', resources: { limits: { cpu: '500m' } }, command: ['a', 'b'] },
      ],
      terminationGracePeriodSeconds: 30,
      hostNetwork: true,
    },
  });
});

test('an absent time, a key that is a trap, bytes', () => {
  const metadata = field(1, field(8), field(12, field(1, '__proto__'), field(2, 'x')));
  const secret = Buffer.concat([metadata, field(2, field(1, 'k'), field(2, Buffer.from([0, 255])))]);
  const object = decodeProtobuf(envelope('v1', 'Secret', secret), asKind) as {
    metadata: { creationTimestamp?: string; annotations: object };
    data: object;
  };
  assert.equal(object.metadata.creationTimestamp, undefined);
  assert.deepEqual(Object.keys(object.metadata.annotations), ['__proto__']);
  assert.deepEqual(object.data, { k: 'AP8=' });
});

test('what is no message is refused, never thrown over', () => {
  const good = envelope('v1', 'Pod', field(1, field(1, 'web-0')));
  for (let cut = 0; cut < good.length; cut++) {
    try {
      decodeProtobuf(good.subarray(0, cut), asKind);
    } catch (error) {
      assert.equal((error as { code?: number }).code, 400);
    }
  }
  assert.throws(() => decodeProtobuf(good, () => undefined), { code: 400 });
});

test('no more fields are read than an object may have, wherever they stand', () => {
  const many = (part: Buffer, bytes = 2_900_000): Buffer =>
    Buffer.alloc(Math.floor(bytes / part.length) * part.length, part);
  const inMetadata = (part: Buffer): Buffer => envelope('v1', 'ConfigMap', field(1, many(part)));
  const hostile = {
    labels: inMetadata(field(11, field(1, 'k'), field(2, 'v'))),
    'empty finalizers': inMetadata(field(14)),
    'data without keys': envelope('v1', 'ConfigMap', many(field(2))),
    'keys of one entry': envelope('v1', 'ConfigMap', field(2, many(field(1)))),
    'fields that nobody knows': envelope('v1', 'ConfigMap', many(number(15, 1))),
    'fields of a time': envelope('v1', 'ConfigMap', field(1, field(8, many(number(9, 1))))),
    'parts of the envelope': Buffer.concat([Buffer.from('k8s\0'), many(number(9, 1))]),
    'parts of the type': Buffer.concat([Buffer.from('k8s\0'), field(1, many(number(9, 1)))]),
  };
  for (const [what, body] of Object.entries(hostile)) {
    assert.throws(() => decodeProtobuf(body, asKind), { code: 413 }, what);
  }
});

test('free-form JSON in a message is counted like JSON', () => {
  const managed = (json: string): Buffer =>
    envelope('v1', 'ConfigMap', field(1, field(17, field(7, field(1, json)))));
  const list = `[${'1,'.repeat(25_000)}1]`;
  assert.ok(decodeProtobuf(managed(`{"a":${list}}`), asKind));
  assert.throws(() => decodeProtobuf(managed(`{"a":${list},"b":${list}}`), asKind), { code: 413 });
  assert.throws(() => decodeProtobuf(managed('['.repeat(5000) + ']'.repeat(5000)), asKind), { code: 400 });
});
