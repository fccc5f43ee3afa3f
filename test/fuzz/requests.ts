// Requests of every kind, on every path: well-formed, nearly so, and not at all.
import type { ResourceDefinition } from '../../src/api/resource.ts';
import { apiVersionOf } from '../../src/api/resource.ts';
import { decode } from '../../src/api/schema/decode.ts';
import type { Schema, StructType } from '../../src/api/schema/schema.ts';
import { encodeProtobuf } from '../../src/apiserver/protobuf/encode.ts';
import { hasProtobuf } from '../../src/apiserver/protobuf/numbered-fields.ts';
import type { Dice } from './dice.ts';
import { seedOf } from './seeds.ts';
import { NAMES, objectOf, wild } from './values.ts';

export interface FuzzRequest {
  method: string;
  target: string;
  headers: Record<string, string>;
  body: Buffer;
}

export interface FuzzAnswer {
  code: number;
  contentType: string;
  body: Buffer;
}

/** Sends one request; rejects when the server fails to answer. */
export type Send = (request: FuzzRequest) => Promise<FuzzAnswer>;

const METHODS = [
  'GET',
  'GET',
  'POST',
  'POST',
  'POST',
  'PUT',
  'PATCH',
  'PATCH',
  'DELETE',
  'HEAD',
  'OPTIONS',
] as const;
const SUBRESOURCES = [
  'status',
  'scale',
  'binding',
  'eviction',
  'finalize',
  'token',
  'log',
  'exec',
  'nope',
  '',
] as const;
const BODY_KINDS: Readonly<Record<string, string>> = {
  scale: 'Scale',
  binding: 'Binding',
  eviction: 'Eviction',
  token: 'TokenRequest',
};
const PATCHES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
] as const;
const ACCEPTS = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,*/*;q=0.1',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  '*/*',
] as const;
const QUERIES: readonly [
  readonly [string, readonly [string, ...string[]]],
  ...(readonly [string, readonly [string, ...string[]]])[],
] = [
  ['labelSelector', ['a=b', 'a in (b,c)', '!a', 'a in (', '=,', 'a notin (x),b']],
  ['fieldSelector', ['metadata.name=a', 'spec.nodeName!=x', 'nope=1', '=', 'metadata.name=a\\,b']],
  ['limit', ['1', '0', '-1', 'x', '99999999999999999999']],
  ['continue', ['x', 'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0', '%']],
  ['resourceVersion', ['0', '1', '-1', 'x', '5', '18446744073709551616']],
  ['resourceVersionMatch', ['Exact', 'NotOlderThan', 'x']],
  ['watch', ['true', 'false', '1']],
  ['sendInitialEvents', ['true', 'false']],
  ['allowWatchBookmarks', ['true']],
  ['timeoutSeconds', ['1', '-1', '1e9']],
  ['timeout', ['1s', '1', '-5m', '']],
  ['dryRun', ['All', 'None', '']],
  ['fieldManager', ['me', 'x\u0001', 'y'.repeat(200)]],
  ['fieldValidation', ['Strict', 'Warn', 'Ignore', 'No']],
  ['force', ['true', 'false']],
  ['propagationPolicy', ['Foreground', 'Orphan', 'Background', 'x']],
  ['gracePeriodSeconds', ['0', '-1', '30', 'x', '1e400']],
  ['pretty', ['true']],
  ['includeObject', ['None', 'Object', 'x']],
];

export function makeRequest(
  dice: Dice,
  resources: readonly [ResourceDefinition, ...ResourceDefinition[]],
  schema: Schema,
): FuzzRequest {
  if (dice.chance(0.03)) return elsewhere(dice);
  const resource = dice.pick(resources);
  const method = dice.chance(0.01) ? 'OPTIONS' : dice.pick(METHODS);
  const onCollection = dice.chance(
    method === 'POST' ? 0.9 : method === 'PUT' || method === 'PATCH' ? 0.02 : 0.2,
  );
  const name = onCollection ? '' : dice.pick(NAMES);
  const subresource = name && dice.chance(0.25) ? dice.pick(SUBRESOURCES) : '';
  const namespace =
    resource.namespaced && dice.chance(0.95) ? `/namespaces/${dice.pick(['default', 'default', 'a'])}` : '';
  const root = resource.group ? `/apis/${resource.group}` : '/api';
  const path = `${root}/${resource.version}${namespace}/${resource.plural}${name && `/${name}`}${subresource && `/${subresource}`}`;
  const headers: Record<string, string> = {
    accept: dice.chance(0.02) ? 'text/html;q=x,;;,=' : dice.pick(ACCEPTS),
    'user-agent': dice.pick(['fuzz/1', '', '/', 'x y']),
  };
  const body =
    method === 'GET' || method === 'HEAD'
      ? Buffer.alloc(0)
      : bodyOf(dice, schema, resource, method, name, subresource, headers);
  return { method, target: path + queryOf(dice), headers, body };
}

function elsewhere(dice: Dice): FuzzRequest {
  const parts = [
    'api',
    'apis',
    'v1',
    'apps',
    'namespaces',
    'watch',
    'pods',
    '%',
    '%00',
    '..',
    'openapi',
    'v2',
    'v3',
    'metrics',
    'version',
    'readyz',
    '',
  ] as const;
  const path = Array.from({ length: dice.below(7) }, () => `/${dice.pick(parts)}`).join('') || '/';
  return {
    method: dice.pick(METHODS),
    target: path + queryOf(dice),
    headers: { accept: dice.pick(ACCEPTS) },
    body: Buffer.alloc(0),
  };
}

function queryOf(dice: Dice): string {
  const pairs = Array.from({ length: dice.chance(0.5) ? dice.below(4) : 0 }, () => {
    const [name, values] = dice.pick(QUERIES);
    return `${name}=${encodeURIComponent(dice.pick(values))}`;
  });
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
}

function bodyOf(
  dice: Dice,
  schema: Schema,
  resource: ResourceDefinition,
  method: string,
  name: string,
  subresource: string,
  headers: Record<string, string>,
): Buffer {
  const kind = BODY_KINDS[subresource];
  const whole = wholeObject(dice, schema, resource, kind, name);
  if (method === 'PATCH') {
    const type = dice.pick(PATCHES);
    headers['content-type'] = type;
    return damaged(dice, Buffer.from(JSON.stringify(type === PATCHES[0] ? jsonPatch(dice) : whole)));
  }
  if (method === 'DELETE') {
    if (dice.chance(0.5)) return Buffer.alloc(0);
    headers['content-type'] = 'application/json';
    return damaged(dice, Buffer.from(JSON.stringify(objectOf(dice, schema.type('DeleteOptions')))));
  }
  if (dice.chance(0.2)) {
    const binary = protobufOf(schema.type(kind ?? resource.schema), whole);
    if (binary) {
      headers['content-type'] = 'application/vnd.kubernetes.protobuf';
      return damaged(dice, binary);
    }
  }
  headers['content-type'] = dice.pick([
    'application/json',
    'application/json',
    'application/yaml',
    'text/plain; x',
    '',
  ]);
  return damaged(dice, Buffer.from(JSON.stringify(whole)));
}

function wholeObject(
  dice: Dice,
  schema: Schema,
  resource: ResourceDefinition,
  kind: string | undefined,
  name: string,
): unknown {
  if (dice.chance(0.02)) return wild(dice);
  const random = objectOf(dice, schema.type(kind ?? resource.schema));
  const seed = kind === undefined && dice.chance(0.7) ? seedOf(resource) : undefined;
  // A good object with some of its parts made anew.
  const parts = seed ? Object.fromEntries(Object.entries(random).filter(() => dice.chance(0.2))) : random;
  const object: Record<string, unknown> = { ...seed, ...parts };
  const metadata = typeof object.metadata === 'object' && object.metadata !== null ? object.metadata : {};
  if (dice.chance(0.8)) object.metadata = { ...(seed ? {} : metadata), name: name || dice.pick(NAMES) };
  if (kind === undefined && dice.chance(0.95)) {
    object.apiVersion = apiVersionOf(resource);
    object.kind = resource.kind;
  }
  return object;
}

function jsonPatch(dice: Dice): unknown {
  const paths = [
    '',
    '/',
    '/metadata',
    '/metadata/labels',
    '/metadata/labels/a',
    '/spec',
    '/spec/replicas',
    '/spec/containers/0',
    '/spec/containers/-',
    '/data',
    '/status',
    '/x~1y',
    '/__proto__/a',
    '/metadata/name',
  ] as const;
  return Array.from({ length: dice.below(4) }, () => ({
    op: dice.pick(['add', 'remove', 'replace', 'move', 'copy', 'test', 'nope'] as const),
    path: dice.pick(paths),
    from: dice.pick(paths),
    value: wild(dice),
  }));
}

function protobufOf(type: StructType, object: unknown): Buffer | undefined {
  if (!hasProtobuf(type)) return undefined;
  try {
    return encodeProtobuf(type, decode(type, object, 'Ignore').object);
  } catch {
    // Not an object of its type: there are no bytes for it.
    return undefined;
  }
}

/** Now and then: cut off, with a byte changed, or other bytes altogether. */
function damaged(dice: Dice, body: Buffer): Buffer {
  if (dice.chance(0.9) || body.length === 0) return body;
  if (dice.chance(0.4)) return body.subarray(0, dice.below(body.length));
  if (dice.chance(0.1)) return Buffer.alloc(dice.below(4_000_000), 0x5b);
  const copy = Buffer.from(body);
  for (let count = 1 + dice.below(5); count > 0; count--) copy[dice.below(copy.length)] = dice.below(256);
  return copy;
}
