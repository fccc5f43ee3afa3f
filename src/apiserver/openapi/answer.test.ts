import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { allResources } from '../../api/resources/all.ts';
import { schemaOf } from '../../api/resources/schema.ts';
import { answerOpenApi, type OpenApiAnswer, type OpenApiRequest } from './answer.ts';
import { openApiV2, openApiV2Protobuf, openApiV3 } from './openapi.ts';

const schema = schemaOf(allResources);

const PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

async function answer(path: string, given: Partial<OpenApiRequest> = {}): Promise<OpenApiAnswer> {
  const found = await answerOpenApi(allResources, schema, {
    path: path.split('/'),
    accepted: ['*/*'],
    acceptEncoding: undefined,
    ifNoneMatch: undefined,
    hash: null,
    ...given,
  });
  assert.ok(found);
  return found;
}

test('version 2 comes in the form that is asked for, best first', async () => {
  const json = await answer('v2');
  assert.equal(json.headers['content-type'], 'application/json');
  assert.equal(json.body, openApiV2(allResources, schema).body);
  for (const type of [PROTOBUF, 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf']) {
    const protobuf = await answer('v2', { accepted: [type, 'application/json'] });
    assert.equal(protobuf.headers['content-type'], PROTOBUF);
    assert.equal(protobuf.body, openApiV2Protobuf(allResources, schema).body);
    assert.equal(protobuf.headers.vary, 'Accept, Accept-Encoding');
  }
  const first = await answer('v2', { accepted: ['application/yaml', 'application/json', PROTOBUF] });
  assert.equal(first.headers['content-type'], 'application/json');
});

test('a form that is not served is 406, a document that is not there is nothing', async () => {
  assert.equal((await answer('v2', { accepted: ['text/html'] })).code, 406);
  assert.equal((await answer('v3/api/v1', { accepted: [PROTOBUF] })).code, 406);
  for (const path of ['', 'v1', 'v2/api', 'v3/apis/nothing.example.com/v1']) {
    const request = { path: path.split('/'), accepted: ['*/*'], hash: null };
    const found = await answerOpenApi(allResources, schema, {
      ...request,
      acceptEncoding: undefined,
      ifNoneMatch: undefined,
    });
    assert.equal(found, undefined, path);
  }
});

test('a client that has the content is told so', async () => {
  const { headers } = await answer('v2');
  assert.match(headers.etag ?? '', /^"[0-9A-F]{128}"$/);
  const again = await answer('v2', { ifNoneMatch: `"other", W/${headers.etag}` });
  assert.equal(again.code, 304);
  assert.equal(again.body, undefined);
  assert.equal(again.headers.etag, headers.etag);
  assert.equal((await answer('v2', { ifNoneMatch: '"other"' })).code, 200);
});

test('under its hash a document is kept for good; under another it is found elsewhere', async () => {
  const document = openApiV3(allResources, schema, 'apis/apps/v1');
  assert.ok(document);
  const kept = await answer('v3/apis/apps/v1', { hash: document.hash });
  assert.match(kept.headers['cache-control'] ?? '', /immutable/);
  const stale = await answer('v3/apis/apps/v1', { hash: 'STALE' });
  assert.equal(stale.code, 301);
  assert.equal(stale.headers.location, `/openapi/v3/apis/apps/v1?hash=${document.hash}`);
  assert.match((await answer('v3/apis/apps/v1')).headers['cache-control'] ?? '', /no-cache/);
});

test('it is compressed for those who take that, once', async () => {
  const first = await answer('v2', { acceptEncoding: 'gzip, deflate' });
  assert.equal(first.headers['content-encoding'], 'gzip');
  assert.ok(first.body);
  assert.deepEqual(gunzipSync(first.body), openApiV2(allResources, schema).body);
  assert.equal((await answer('v2', { acceptEncoding: 'gzip' })).body, first.body);
});
