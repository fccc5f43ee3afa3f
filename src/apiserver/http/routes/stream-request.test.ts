// Streams into pods at the API's port: who may open one, how many, and what ends them.
import assert from 'node:assert/strict';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';
import { silentLog } from '../../../base/log.ts';
import type { ConnectHandler } from '../../connect.ts';
import { makeTestCertificates, type TestCertificates } from '../../test-certificates.ts';
import { pod } from '../../test-objects.ts';
import { startTestServer, type TestServer } from '../../test-server.ts';
import { type HttpsServer, serveHttps } from '../port/serve-https.ts';
import { Limits } from '../traffic/limits.ts';

let certificates: TestCertificates;
let server: TestServer;
let https: HttpsServer;
let lastProtocols: string | undefined;
/** What the held connections have brought. */
let bytesHeld = 0;

/** Takes the connection and holds it. */
const hold: ConnectHandler = {
  async request() {},
  async upgrade(_request, message, socket) {
    lastProtocols = message.headers['sec-websocket-protocol'];
    socket.on('data', (chunk: Buffer) => {
      bytesHeld += chunk.length;
    });
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  },
};

before(async () => {
  certificates = await makeTestCertificates();
  server = await startTestServer();
  https = await serveHttps({
    api: server.api,
    tls: { ...certificates.server, ca: certificates.ca },
    host: '127.0.0.1',
    port: 0,
    authenticateToken: (token) => ({
      name: token,
      groups: token === 'admin' ? ['system:masters'] : ['system:authenticated'],
    }),
    authorize: server.api.identity.authorize,
    connect: hold,
    log: silentLog,
    clock: server.clock,
    health: [],
  });
  await server.object('create', 'pods', { body: pod('web-0') });
});
after(async () => {
  await https.close();
  server.api.stop();
});

interface Answer {
  code: number;
  socket: Duplex | undefined;
  message: string;
}

function upgrade(
  subresource: string,
  as = 'admin',
  method = 'GET',
  name = 'web-0',
  protocols = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({
      host: '127.0.0.1',
      port: https.port,
      path: `/api/v1/namespaces/default/pods/${name}/${subresource}`,
      method,
      ca: certificates.ca,
      agent: false,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        ...(as && { authorization: `Bearer ${as}` }),
        ...(protocols && { 'sec-websocket-protocol': protocols }),
      },
    });
    request.once('upgrade', (response, socket) => {
      socket.on('error', () => {});
      resolve({ code: response.statusCode ?? 0, socket, message: '' });
    });
    request.once('response', (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk;
      });
      response.once('end', () =>
        resolve({ code: response.statusCode ?? 0, socket: undefined, message: JSON.parse(text).message }),
      );
    });
    request.once('error', reject);
    request.end();
  });
}

test('a forwarded port ends with its pod', async () => {
  await server.object('create', 'pods', { body: pod('short') });
  const { socket } = await upgrade('portforward', 'admin', 'GET', 'short');
  assert.ok(socket);
  const closed = new Promise((resolve) => socket.resume().once('close', resolve));
  await server.object('delete', 'pods', { name: 'short', deleteOptions: { gracePeriodSeconds: 0 } });
  await closed;
});

test('a WebSocket’s GET runs nothing for who may only read', async () => {
  const rules = [
    { apiGroups: [''], resources: ['pods/exec', 'pods/portforward'], verbs: ['get'] },
    { apiGroups: [''], resources: ['pods/attach'], verbs: ['get', 'create'] },
  ];
  await server.object('create', 'clusterroles', { body: { metadata: { name: 'reader' }, rules } });
  await server.object('create', 'clusterrolebindings', {
    body: {
      metadata: { name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'reader' }],
    },
  });
  for (const subresource of ['exec', 'portforward']) {
    const { code, message } = await upgrade(subresource, 'reader');
    assert.equal(code, 403);
    assert.match(message, new RegExp(`cannot create resource "pods/${subresource}"`));
  }
  const attached = await upgrade('attach', 'reader');
  assert.equal(attached.code, 101);
  attached.socket?.destroy();
  const anonymous = await upgrade('exec', 'stranger', 'POST');
  assert.equal(anonymous.code, 403);
});

test('a browser’s token comes among the sub-protocols, and goes no further', async () => {
  const token = Buffer.from('admin').toString('base64url');
  const bearer = `base64url.bearer.authorization.k8s.io.${token}`;
  const { code, socket } = await upgrade('exec', '', 'GET', 'web-0', `${bearer}, v5.channel.k8s.io`);
  assert.equal(code, 101);
  assert.equal(lastProtocols, 'v5.channel.k8s.io');
  socket?.destroy();
  const alone = await upgrade('exec', '', 'GET', 'web-0', bearer);
  assert.deepEqual([alone.code, /system:anonymous/.test(alone.message)], [403, true]);
});

test('what is no stream is not upgraded', async () => {
  const { code, message } = await upgrade('status');
  assert.equal(code, 400);
  assert.match(message, /can be upgraded/);
});

test('places are given back once, and what one client has is not taken from the others', () => {
  const limits = new Limits(server.clock);
  const leaves = Array.from({ length: 400 }, () => limits.openStream('exec', 'flood'));
  assert.throws(() => limits.openStream('exec', 'flood'), /Too many open streams/);
  limits.openStream('log', 'other');
  assert.deepEqual(
    [...limits.streams],
    [
      ['exec', 400],
      ['log', 1],
    ],
  );
  const [first] = leaves;
  first?.();
  first?.();
  assert.equal(limits.streams.get('exec'), 399);
  limits.openStream('exec', 'flood');
  assert.throws(() => limits.openStream('attach', 'flood'), /Too many open streams/);
});

test('all streams together have a limit, too', () => {
  const limits = new Limits(server.clock);
  for (let client = 0; client < 5; client++) {
    for (let stream = 0; stream < 400; stream++) limits.openStream('exec', `client ${client}`);
  }
  assert.throws(() => limits.openStream('exec', 'another'), /Too many open streams/);
});

test('a connection on which nothing moves ends, one that is used does not', async () => {
  const { socket } = await upgrade('attach');
  assert.ok(socket);
  let isClosed = false;
  const closed = new Promise((resolve) => socket.resume().once('close', resolve)).then(() => {
    isClosed = true;
  });
  const HOUR = 60 * 60_000;
  // It is used once an hour, and lives.
  for (let hour = 0; hour < 8; hour++) {
    const before = bytesHeld;
    socket.write('x');
    while (bytesHeld === before) await new Promise((resolve) => setImmediate(resolve));
    server.clock.advance(HOUR);
  }
  // Whatever the clock has ended would be gone by now.
  await upgrade('status');
  assert.equal(isClosed, false);
  for (let hour = 0; hour < 6; hour++) server.clock.advance(HOUR);
  await closed;
});

test('the end of the server ends streams', async () => {
  const { socket } = await upgrade('attach');
  assert.ok(socket);
  const closed = new Promise((resolve) => socket.resume().once('close', resolve));
  await https.close();
  await closed;
});
