import assert from 'node:assert/strict';
import { Agent, request } from 'node:https';
import { test } from 'node:test';
import type { KubeObject } from '../api/objects.ts';
import type { ResourceDefinition } from '../api/resource.ts';
import { ageColumn, column, nameColumn } from '../api/resources/shared/columns.ts';
import { ALL_VERBS } from '../api/resources/shared/verbs.ts';
import type { TypeSchema } from '../api/schema/schema.ts';
import { silentLog } from '../base/log.ts';
import { authorizeMasters } from './authz/authorize.ts';
import { serveHttps } from './http/port/serve-https.ts';
import { makeTestCertificates } from './test-certificates.ts';
import { startTestServer } from './test-server.ts';

interface Widget extends KubeObject {
  spec?: { size?: number; parts?: { name: string }[] };
}

const types: Record<string, TypeSchema> = {
  Widget: {
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', ref: 'ObjectMeta' },
      spec: { type: 'object', ref: 'WidgetSpec' },
    },
  },
  WidgetSpec: {
    properties: {
      size: { type: 'integer', format: 'int32' },
      parts: { type: 'array', items: { type: 'object', ref: 'WidgetPart' } },
    },
  },
  WidgetPart: { required: ['name'], properties: { name: { type: 'string' } } },
};

const widgets: ResourceDefinition<Widget> = {
  group: 'example.com',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  singular: 'widget',
  shortNames: ['wd'],
  categories: ['all'],
  namespaced: true,
  schema: 'Widget',
  types: [() => types],
  verbs: ALL_VERBS,
  hasStatus: false,
  columns: [nameColumn(), column('Size', 'How large.', ({ spec }) => `${spec?.size ?? 0}`), ageColumn()],
  strategy: {},
};

// As the table of resources holds them all: a definition of objects, whatever else they are.
const definition: ResourceDefinition = widgets;

test('a resource that is added while the server runs is served like any other', async () => {
  const certificates = await makeTestCertificates();
  const admin = await certificates.client('admin', 'system:masters');
  const { api, clock } = await startTestServer();
  const https = await serveHttps({
    api,
    tls: { ...certificates.server, ca: certificates.ca },
    host: '127.0.0.1',
    port: 0,
    authenticateToken: () => undefined,
    authorize: authorizeMasters,
    log: silentLog,
    clock,
    health: [],
  });
  const agent = new Agent({ ca: certificates.ca, ...admin, keepAlive: true });
  const ask = (
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<{ code: number | undefined; text: string }> =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: https.port, agent, method, path, headers };
      const sent = request(options, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk;
        });
        response.once('end', () => resolve({ code: response.statusCode, text }));
      });
      sent.once('error', reject);
      sent.end(body && JSON.stringify(body));
    });
  const path = '/apis/example.com/v1/namespaces/default/widgets';
  const widget = { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'a' }, spec: { size: 3 } };
  try {
    const openApiBefore = (await ask('GET', '/openapi/v2')).text;
    assert.equal((await ask('GET', path)).code, 404);
    assert.doesNotMatch(openApiBefore, /Widget/);

    api.addResource(definition);
    assert.throws(() => api.addResource(definition), /example.com\/v1\/widgets is served already/);

    assert.equal((await ask('POST', path, widget)).code, 201);
    const strict = await ask('POST', `${path}?fieldValidation=Strict`, {
      ...widget,
      metadata: { name: 'b' },
      spec: { sise: 3 },
    });
    assert.equal(strict.code, 400);
    assert.match(strict.text, /unknown field \\"spec.sise\\"/);
    const mistyped = await ask('POST', path, { ...widget, metadata: { name: 'b' }, spec: { size: 'x' } });
    assert.equal(mistyped.code, 400);

    const applied = await ask(
      'PATCH',
      `${path}/a?fieldManager=me&force=true`,
      { ...widget, spec: { size: 4, parts: [{ name: 'wheel' }] } },
      { 'content-type': 'application/apply-patch+yaml' },
    );
    assert.equal(applied.code, 200, applied.text);
    assert.match(applied.text, /"operation":"Apply"/);

    const table = JSON.parse(
      (await ask('GET', path, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })).text,
    );
    assert.deepEqual(table.rows[0].cells.slice(0, 2), ['a', '4']);

    const discovery = JSON.parse((await ask('GET', '/apis/example.com/v1')).text);
    assert.deepEqual(discovery.resources[0].shortNames, ['wd']);
    assert.match((await ask('GET', '/apis')).text, /example\.com/);
    assert.match((await ask('GET', '/openapi/v2')).text, /"kind":"Widget"/);
    assert.match((await ask('GET', '/openapi/v3/apis/example.com/v1')).text, /WidgetSpec/);

    const watched = await api.handle({
      verb: 'watch',
      resource: definition,
      namespace: 'default',
      user: { name: 'test', groups: [] },
      options: {},
    });
    assert.ok(watched.type === 'watch');
    assert.equal((await watched.stream.next())?.[0]?.type, 'ADDED');
    watched.stream.stop();
  } finally {
    agent.destroy();
    await https.close();
    api.stop();
  }
});
