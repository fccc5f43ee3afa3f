import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { connect as connectHttp2, constants } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { StatusError } from '../../../api/errors.ts';
import { silentLog } from '../../../base/log.ts';
import { authorizeMasters } from '../../authz/authorize.ts';
import type { ConnectHandler } from '../../connect.ts';
import { type KeyPair, makeTestCertificates, type TestCertificates } from '../../test-certificates.ts';
import { startTestServer, type TestServer } from '../../test-server.ts';
import { type HttpsServer, serveHttps } from './serve-https.ts';

/** An object, or what is said of why there is none. */
interface Answered {
  message?: string;
  metadata?: { managedFields?: { manager: string }[] };
}

interface Answer {
  code: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  json(): { message?: string; kind?: string; [key: string]: unknown };
}

let certificates: TestCertificates;
let admin: KeyPair;
let server: TestServer;
let https: HttpsServer;
const agents: Agent[] = [];

const echo: ConnectHandler = {
  async request({ pod, subresource, query }, exchange) {
    exchange.start(200, { 'content-type': 'text/plain' });
    await exchange.write(Buffer.from(`${subresource} of ${pod.metadata.name} ${query.get('container')}`));
    exchange.end();
  },
  async upgrade({ subresource, user }, _message, socket) {
    if (subresource === 'attach') throw new StatusError({ message: 'no', reason: 'BadRequest', code: 400 });
    socket.end(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello ${user.name}`,
    );
  },
};

function listen(): Promise<HttpsServer> {
  return serveHttps({
    api: server.api,
    tls: { ...certificates.server, ca: certificates.ca },
    host: '127.0.0.1',
    port: 0,
    authenticateToken: (token) => (token === 'good' ? { name: 'alice', groups: [] } : undefined),
    authorize: authorizeMasters,
    connect: echo,
    log: silentLog,
    clock: server.clock,
    health: [{ name: 'etcd', check: () => undefined }],
  });
}

before(async () => {
  certificates = await makeTestCertificates();
  admin = await certificates.client('admin', 'system:masters');
  server = await startTestServer();
  https = await listen();
});

after(async () => {
  for (const agent of agents) agent.destroy();
  await https.close();
  server.api.stop();
});

interface Call {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  as?: KeyPair | undefined;
}

function call(path: string, { method = 'GET', headers = {}, body, as = admin }: Call = {}): Promise<Answer> {
  const agent = new Agent({ ca: certificates.ca, ...(as.key ? as : {}) });
  agents.push(agent);
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      { host: '127.0.0.1', port: https.port, path, method, headers, agent },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const { headers: received } = response;
          resolve({
            code: response.statusCode ?? 0,
            headers: received,
            body: bytes,
            json: () => JSON.parse(bytes.toString()),
          });
        });
      },
    );
    request.on('error', reject);
    // With text behind them Node would send headers in UTF-8, too: in bytes they are as they are given.
    request.end(body && Buffer.from(body));
  });
}

const NOBODY: KeyPair = { key: '', cert: '' };
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const json = { 'content-type': 'application/json' };

test('who asks decides what is answered', async () => {
  const anonymous = await call('/api/v1/pods', { as: NOBODY });
  assert.equal(anonymous.code, 403);
  assert.equal(
    anonymous.json().message,
    'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope',
  );
  assert.equal((await call('/readyz', { as: NOBODY })).body.toString(), 'ok');
  assert.equal((await call('/version', { as: NOBODY })).code, 200);
  const bad = await call('/api/v1/pods', { as: NOBODY, headers: { authorization: 'Bearer bad' } });
  assert.equal(bad.code, 401);
  const alice = await call('/apis', { as: NOBODY, headers: { authorization: 'Bearer good' } });
  assert.equal(alice.json().message, 'forbidden: User "alice" cannot get path "/apis"');
  const stranger = await (await makeTestCertificates()).client('admin', 'system:masters');
  const over = await certificates.client('admin', 'system:masters', new Date(Date.now() - 1000));
  for (const as of [stranger, over]) {
    for (const path of ['/api/v1/pods', '/readyz', '/version']) {
      const refused = await call(path, { as });
      assert.deepEqual([refused.code, refused.json().message], [401, 'Unauthorized']);
    }
    const withToken = await call('/apis', { as, headers: { authorization: 'Bearer good' } });
    assert.equal(withToken.json().message, 'forbidden: User "alice" cannot get path "/apis"');
  }
});

test('what is not there is a Status', async () => {
  for (const path of [
    '/nope',
    '/api/v2',
    '/apis/nope',
    '/api/v1/nopes',
    '/apis/apps/v1/namespaces/x/nopes/y',
  ]) {
    const { code, json: parse } = await call(path);
    assert.equal(code, 404, path);
    assert.equal(parse().message, 'the server could not find the requested resource');
  }
  assert.equal((await call('/api/v1/pods', { method: 'PUT', headers: json, body: '{}' })).code, 405);
  assert.equal((await call('/api/v1/pods', { method: 'OPTIONS' })).code, 405);
  assert.equal((await call('/api/v1/%zz/y')).code, 400);
});

test('bodies and answers are JSON or YAML', async () => {
  const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: y\n';
  const headers = { 'content-type': 'application/yaml', accept: 'application/yaml' };
  const made = await call(CONFIG_MAPS, { method: 'POST', headers, body: yaml });
  assert.equal(made.code, 201);
  assert.match(made.body.toString(), /^kind: ConfigMap$/m);
  const refused: [Call, number][] = [
    [{ headers: { accept: 'text/html' } }, 406],
    [
      { method: 'POST', headers: { 'content-type': 'application/vnd.kubernetes.protobuf' }, body: 'k8s' },
      400,
    ],
    [{ method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' }, 415],
    [{ method: 'POST', headers: json, body: '{' }, 400],
    [{ method: 'POST', headers: json }, 400],
    [{ method: 'POST', headers: json, body: JSON.stringify({ x: 'x'.repeat(4 * 1024 * 1024) }) }, 413],
  ];
  for (const [each, code] of refused) assert.equal((await call(CONFIG_MAPS, each)).code, code);
  const patch = await call(`${CONFIG_MAPS}/y`, { method: 'PATCH', headers: json, body: '{}' });
  assert.equal(patch.code, 415);
});

test('answers are in protobuf for who prefers that, where there is a form of them', async () => {
  const PROTOBUF = 'application/vnd.kubernetes.protobuf';
  const asked = async (path: string, accept: string): Promise<[string | undefined, string]> => {
    const { headers, body } = await call(path, { headers: { accept } });
    return [headers['content-type']?.toString(), body.subarray(0, 4).toString()];
  };
  const PARTIAL = 'as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
  assert.deepEqual(await asked(CONFIG_MAPS, `${PROTOBUF},application/json`), [PROTOBUF, 'k8s\0']);
  assert.deepEqual(await asked(CONFIG_MAPS, `application/json;q=0.5,${PROTOBUF}`), [PROTOBUF, 'k8s\0']);
  assert.deepEqual(await asked(CONFIG_MAPS, `${PROTOBUF};${PARTIAL}`), [PROTOBUF, 'k8s\0']);
  assert.deepEqual(await asked(`${CONFIG_MAPS}/none`, PROTOBUF), [PROTOBUF, 'k8s\0']);
  const table = `${PROTOBUF};as=Table;g=meta.k8s.io;v=v1,application/json`;
  assert.equal((await asked(CONFIG_MAPS, table))[0], 'application/json');
  assert.equal((await asked('/apis', `${PROTOBUF},application/json`))[0], 'application/json');
});

test('metrics tell of requests, objects and the process', async () => {
  await call('/api/v1/namespaces/default/configmaps/none');
  const { code, body, headers } = await call('/metrics');
  assert.equal(code, 200);
  assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
  const text = body.toString();
  assert.match(
    text,
    /^apiserver_request_total\{verb="GET",group="",version="v1",resource="configmaps",subresource="",scope="resource",component="apiserver",dry_run="",code="404"\} \d+$/m,
  );
  assert.match(text, /^apiserver_request_duration_seconds_bucket\{verb="GET",.*le="\+Inf"\} \d+$/m);
  assert.match(text, /^apiserver_current_inflight_requests\{request_kind="readOnly"\} 0$/m);
  assert.match(text, /^apiserver_storage_objects\{resource="namespaces"\} [1-9]/m);
  assert.match(text, /^process_resident_memory_bytes [1-9]/m);
  assert.equal((await call('/metrics', { as: NOBODY })).code, 403);
});

test('long headers are taken up to a limit; a request has its time', async () => {
  const selector = `a in (${'x'.repeat(63)},`.padEnd(40_000, `${'y'.repeat(60)},`).slice(0, -1);
  const path = `${CONFIG_MAPS}?labelSelector=${encodeURIComponent(`${selector.replace(/,?$/, '')})`)}`;
  assert.equal((await call(path)).code, 200);
  // The connection may break while the client is still sending.
  const refused = await call(`${CONFIG_MAPS}?fieldSelector=${'x'.repeat(80_000)}`).catch(() => ({
    code: 431,
  }));
  assert.equal(refused.code, 431);
  assert.equal((await call(`${CONFIG_MAPS}?timeout=never`)).code, 400);
  assert.equal((await call(`${CONFIG_MAPS}?timeout=5s`)).code, 200);
});

test('tables, metadata only, warnings, HEAD', async () => {
  const body = '{"metadata":{"name":"t"},"data":{"a":"1"},"nope":1}';
  const made = await call(CONFIG_MAPS, { method: 'POST', headers: json, body });
  assert.equal(made.headers.warning, '299 - "unknown field \\"nope\\""');
  const table = (
    await call(CONFIG_MAPS, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } })
  ).json();
  assert.equal(table.kind, 'Table');
  const [row] = table.rows as { cells: unknown[]; object: { kind: string } }[];
  assert.equal(row?.object.kind, 'PartialObjectMetadata');
  const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
  const partial = (await call(CONFIG_MAPS, { headers: { accept } })).json();
  assert.equal(partial.kind, 'PartialObjectMetadataList');
  const head = await call(`${CONFIG_MAPS}/t`, { method: 'HEAD' });
  assert.deepEqual([head.code, head.body.length], [200, 0]);
});

test('large answers are compressed when the client takes it', async () => {
  const data = { x: 'x'.repeat(200_000) };
  await call(CONFIG_MAPS, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ metadata: { name: 'big' }, data }),
  });
  const plain = await call(`${CONFIG_MAPS}/big`);
  const small = await call(`${CONFIG_MAPS}/big`, { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(small.headers['content-encoding'], 'gzip');
  assert.ok(small.body.length < plain.body.length / 10);
  await call(`${CONFIG_MAPS}/big`, { method: 'DELETE' });
});

test('HTTP/2: requests and a watch on one connection', async () => {
  const session = connectHttp2(`https://127.0.0.1:${https.port}`, { ca: certificates.ca, ...admin });
  try {
    const stream = session.request({ ':path': `${CONFIG_MAPS}?watch=true&fieldSelector=metadata.name%3Dw` });
    const lines: string[] = [];
    const line = new Promise<void>((resolve) =>
      stream.on('data', (chunk: Buffer) => {
        lines.push(chunk.toString());
        resolve();
      }),
    );
    const [headers] = await new Promise<[Record<string, unknown>]>((resolve) =>
      stream.once('response', (received) => resolve([received])),
    );
    assert.equal(headers[constants.HTTP2_HEADER_STATUS], 200);
    const post = session.request({ ':path': CONFIG_MAPS, ':method': 'POST', ...json });
    post.end('{"metadata":{"name":"w"}}');
    post.resume();
    await line;
    const event = JSON.parse(lines[0] ?? '') as {
      type: string;
      object: { kind: string; metadata: { name: string } };
    };
    assert.deepEqual(
      [event.type, event.object.kind, event.object.metadata.name],
      ['ADDED', 'ConfigMap', 'w'],
    );
    stream.close();
  } finally {
    session.destroy();
  }
});

test('headers are UTF-8, by either version of HTTP', async () => {
  const bytes = (text: string): string => Buffer.from(text).toString('latin1');
  const userAgent = `${bytes('bö€\u200bb')}/1`;
  const impersonated = { 'impersonate-user': bytes('böb€'), 'user-agent': userAgent };
  const configMap = (name: string) => JSON.stringify({ metadata: { name }, data: { a: 'b' } });
  const forbidden =
    'configmaps is forbidden: User "böb€" cannot list resource "configmaps" in API group "" in the namespace "default"';
  assert.equal((await call(CONFIG_MAPS, { headers: impersonated })).json().message, forbidden);
  const managers = ({ metadata }: Answered): unknown[] =>
    metadata?.managedFields?.map(({ manager }) => manager) ?? [];
  const headers = { ...json, 'user-agent': userAgent };
  const made = await call(CONFIG_MAPS, { method: 'POST', headers, body: configMap('utf-8') });
  assert.deepEqual(managers(made.json()), ['bö€b']);
  const session = connectHttp2(`https://127.0.0.1:${https.port}`, { ca: certificates.ca, ...admin });
  const ask = async (asked: Record<string, string>, body?: string): Promise<Answered> => {
    const stream = session.request(asked);
    stream.end(body);
    return JSON.parse((await stream.toArray()).join('')) as Answered;
  };
  try {
    assert.equal((await ask({ ':path': CONFIG_MAPS, ...impersonated })).message, forbidden);
    const posted = await ask({ ':path': CONFIG_MAPS, ':method': 'POST', ...headers }, configMap('utf-8-2'));
    assert.deepEqual(managers(posted), ['bö€b']);
  } finally {
    session.destroy();
  }
});

test('streams into pods reach their handler, upgraded or not; refusals are answered', async () => {
  const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'main', image: 'x' }] } };
  await call('/api/v1/namespaces/default/pods', { method: 'POST', headers: json, body: JSON.stringify(pod) });
  const path = '/api/v1/namespaces/default/pods/p';
  assert.equal((await call(`${path}/log?container=main`)).body.toString(), 'log of p main');
  assert.equal((await call('/api/v1/namespaces/default/pods/q/log')).code, 404);
  const upgrade = { connection: 'Upgrade', upgrade: 'x' };
  const upgraded = await new Promise<string>((resolve, reject) => {
    const agent = new Agent({ ca: certificates.ca, ...admin });
    agents.push(agent);
    const options = { host: '127.0.0.1', port: https.port, path: `${path}/exec`, headers: upgrade, agent };
    const request = httpsRequest(options);
    request.on('upgrade', (_response, socket: Socket, head: Buffer) => {
      let text = head.toString();
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      socket.on('end', () => {
        socket.destroy();
        resolve(text);
      });
    });
    request.on('error', reject);
    request.end();
  });
  assert.equal(upgraded, 'hello admin');
  const refused = await call(`${path}/attach`, { headers: upgrade });
  assert.deepEqual([refused.code, refused.json().message], [400, 'no']);
  assert.equal((await call(`${path}/exec`, { headers: upgrade, as: NOBODY })).code, 403);
});

test('close ends open watches and frees the port', async () => {
  const other = await listen();
  const session = connectHttp2(`https://127.0.0.1:${other.port}`, { ca: certificates.ca, ...admin });
  const ended = new Promise<void>((resolve) => session.once('close', resolve));
  session.on('error', () => {});
  const stream = session.request({ ':path': `${CONFIG_MAPS}?watch=true` });
  stream.on('error', () => {});
  await new Promise((resolve) => stream.once('response', resolve));
  stream.resume();
  await other.close();
  await ended;
  await assert.rejects(
    new Promise((_resolve, reject) => {
      const agent = new Agent({ ca: certificates.ca });
      agents.push(agent);
      httpsRequest({ host: '127.0.0.1', port: other.port, agent }).on('error', reject).end();
    }),
    /ECONNREFUSED/,
  );
});

test('the port is open on more addresses as they come, and closed there again', async () => {
  const own = await listen();
  const health = (host: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const agent = new Agent({ ca: certificates.ca, checkServerIdentity: () => undefined });
      agents.push(agent);
      const request = httpsRequest({ host, port: own.port, path: '/readyz', agent }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      request.on('error', reject);
      request.end();
    });
  await assert.rejects(health('127.0.0.2'), { code: 'ECONNREFUSED' });
  const shut = await own.alsoOn('127.0.0.2');
  assert.deepEqual([await health('127.0.0.1'), await health('127.0.0.2')], [200, 200]);
  const session = connectHttp2(`https://127.0.0.2:${own.port}`, {
    ca: certificates.ca,
    checkServerIdentity: () => undefined,
  });
  const stream = session.request({ ':path': '/readyz' });
  assert.equal(await text(stream), 'ok');
  session.close();
  await assert.rejects(own.alsoOn('127.0.0.2'), { code: 'EADDRINUSE' });
  await assert.rejects(own.alsoOn('198.51.100.99'), { code: 'EADDRNOTAVAIL' });
  shut();
  await assert.rejects(health('127.0.0.2'), { code: 'ECONNREFUSED' });
  await own.alsoOn('127.0.0.2');
  await own.close();
  await assert.rejects(health('127.0.0.2'), { code: 'ECONNREFUSED' });
});

test('a long list that nobody reads is broken off when the request has had its time', async () => {
  const data = { filling: 'x'.repeat(16 * 1024) };
  for (let i = 0; i < 1100; i++) {
    await server.object('create', 'configmaps', { body: { metadata: { name: `long-${i}` }, data } });
  }
  const agent = new Agent({ ca: certificates.ca, ...admin });
  agents.push(agent);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { host: '127.0.0.1', port: https.port, path: CONFIG_MAPS, agent };
    httpsRequest(options, resolve).once('error', reject).end();
  });
  assert.equal(response.statusCode, 200);
  // It has begun, and is larger than what the connection holds while nobody reads.
  server.clock.advance(61_000);
  await assert.rejects(text(response), /aborted/);
  assert.equal(response.complete, false);

  const whole = await call(CONFIG_MAPS);
  const { items } = whole.json();
  assert.ok(Array.isArray(items) && items.length >= 1100);
});
