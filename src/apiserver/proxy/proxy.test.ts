// pods/proxy and services/proxy through the API's port, over both versions of HTTP, to a server that stands for a pod:
// it listens on an address of this machine that is not loopback, because the API server visits no other.
import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { silentLog } from '../../base/log.ts';
import { type HttpsServer, serveHttps } from '../http/port/serve-https.ts';
import { type KeyPair, makeTestCertificates, type TestCertificates } from '../test-certificates.ts';
import { pod } from '../test-objects.ts';
import { startTestServer, type TestServer } from '../test-server.ts';

const address = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === 'IPv4' && !each.internal && !each.address.startsWith('169.254.'))?.address;

const PODS = '/api/v1/namespaces/default/pods';

interface Answer {
  code: number;
  headers: IncomingHttpHeaders;
  text: string;
  bytes: Buffer;
}

describe('the proxy', { skip: address ? false : 'this machine has no address but loopback' }, () => {
  let certificates: TestCertificates;
  let admin: KeyPair;
  let server: TestServer;
  let https: HttpsServer;
  let backend: Server;
  let port: number;
  /** Answers of the pod that are under way. */
  const sockets = new Set<Socket>();
  let lastBroken: Promise<void> = Promise.resolve();

  before(async () => {
    certificates = await makeTestCertificates();
    admin = await certificates.client('admin', 'system:masters');
    server = await startTestServer();
    backend = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://pod');
      if (pathname === '/redirect') return void response.writeHead(302, { location: '/elsewhere' }).end();
      if (pathname === '/page' || pathname === '/zipped') {
        const page = Buffer.from('<a href="/elsewhere">there</a>');
        const body = pathname === '/page' ? page : gzipSync(page);
        const encoding = pathname === '/page' ? {} : { 'content-encoding': 'gzip' };
        const headers = { 'content-type': 'text/html; charset=utf-8', 'content-length': body.length };
        return void response.writeHead(200, { ...headers, ...encoding }).end(body);
      }
      if (pathname === '/breaks') {
        response.writeHead(200, { 'content-length': '100' });
        return void response.write('half', () => request.socket.destroy());
      }
      if (pathname === '/endless') {
        response.write('first');
        lastBroken = new Promise((resolve) => response.once('close', resolve));
        return;
      }
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method, url, headers } = request;
        const body = Buffer.concat(chunks).toString();
        response.writeHead(pathname === '/teapot' ? 418 : 200, {
          'content-type': 'application/json',
          'x-private': '1',
          connection: 'x-private',
        });
        response.end(JSON.stringify({ method, url, headers, body: body.length > 1000 ? body.length : body }));
      });
    });
    backend.on('upgrade', (request, socket: Duplex, head: Buffer) => {
      if (request.url === '/refused')
        return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
      if (request.url === '/plain') return void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n`,
      );
      socket.write(`X-Seen-Uri: ${request.headers['x-forwarded-uri']}\r\n\r\n`);
      socket.write(head);
      socket.pipe(socket);
      socket.on('error', () => socket.destroy());
    });
    backend.on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => backend.listen(0, address, resolve));
    port = (backend.address() as AddressInfo).port;
    https = await serveHttps({
      api: server.api,
      tls: { ...certificates.server, ca: certificates.ca },
      host: '127.0.0.1',
      port: 0,
      authenticateToken: (token) => ({ name: token, groups: ['system:authenticated'] }),
      authorize: server.api.identity.authorize,
      log: silentLog,
      clock: server.clock,
      health: [],
    });
    await startPod('web-0');
    const rules = [{ apiGroups: [''], resources: ['pods/proxy'], verbs: ['get'] }];
    await server.object('create', 'clusterroles', { body: { metadata: { name: 'visitor' }, rules } });
    await server.object('create', 'clusterrolebindings', {
      body: {
        metadata: { name: 'visitor' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'visitor' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'visitor' }],
      },
    });
  });
  after(async () => {
    await https?.close();
    server?.api.stop();
    for (const socket of sockets) socket.destroy();
    backend?.close();
  });

  async function startPod(name: string): Promise<void> {
    const containers = [{ name: 'main', image: 'nginx', ports: [{ containerPort: port, name: 'http' }] }];
    const created = await server.object('create', 'pods', { body: pod(name, { containers }) });
    const status = { phase: 'Running', podIP: address, podIPs: [{ ip: address }] };
    await server.object('update', 'pods', {
      name,
      subresource: 'status',
      body: structuredClone({ ...created, status }),
    });
  }

  function ask(
    path: string,
    options: {
      method?: string;
      headers?: Record<string, string>;
      body?: string | undefined;
      as?: string;
    } = {},
  ): Promise<Answer> {
    const { method = 'GET', headers = {}, body, as } = options;
    const credentials = as ? {} : admin;
    const authorization: Record<string, string> = as ? { authorization: `Bearer ${as}` } : {};
    return new Promise((resolve, reject) => {
      const request = httpsRequest(
        {
          host: '127.0.0.1',
          port: https.port,
          path,
          method,
          headers: { ...headers, ...authorization },
          ca: certificates.ca,
          agent: false,
          ...credentials,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('end', () => {
            const bytes = Buffer.concat(chunks);
            resolve({
              code: response.statusCode ?? 0,
              headers: response.headers,
              text: bytes.toString(),
              bytes,
            });
          });
          response.once('error', reject);
        },
      );
      request.once('error', reject);
      request.end(body);
    });
  }

  it('passes method, path, query and body on, and the answer back', async () => {
    const path = `${PODS}/web-0:http/proxy/a%2Fb/../c//d?x=1&watch=true&x=2`;
    const { code, headers, text } = await ask(path, {
      method: 'POST',
      body: 'hello',
      headers: { 'content-type': 'text/plain', authorization: 'Bearer x', 'x-custom': 'y' },
    });
    assert.equal(code, 200);
    assert.equal(headers['x-private'], undefined);
    const seen = JSON.parse(text);
    assert.deepEqual(
      [seen.method, seen.url, seen.body],
      ['POST', '/a%2Fb/../c//d?x=1&watch=true&x=2', 'hello'],
    );
    assert.equal(seen.headers['x-custom'], 'y');
    assert.equal(seen.headers.authorization, undefined);
    assert.match(seen.headers['x-forwarded-for'], /127\.0\.0\.1/);
    assert.equal(seen.headers['x-forwarded-uri'], `${PODS}/web-0:http/proxy/a%2Fb/../c//d`);
  });

  it('answers what the pod answers, for every method', async () => {
    assert.equal((await ask(`${PODS}/web-0/proxy/teapot`)).code, 418);
    for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const { code, text } = await ask(`${PODS}/web-0/proxy/`, { method });
      assert.deepEqual([code, JSON.parse(text).method], [200, method]);
    }
    const head = await ask(`${PODS}/web-0/proxy/`, { method: 'HEAD' });
    assert.deepEqual([head.code, head.text, head.headers['content-type']], [200, '', 'application/json']);
  });

  it('has no limit on the size of a body', async () => {
    const body = 'x'.repeat(8 * 1024 * 1024);
    const { text } = await ask(`${PODS}/web-0/proxy/`, { method: 'POST', body });
    assert.equal(JSON.parse(text).body, body.length);
  });

  it('leads to a path that ends in a slash, and rewrites redirects', async () => {
    const bare = await ask(`${PODS}/web-0/proxy?x=1`);
    assert.deepEqual([bare.code, bare.headers.location], [301, `${PODS}/web-0/proxy/?x=1`]);
    const redirect = await ask(`${PODS}/web-0/proxy/redirect`);
    assert.deepEqual([redirect.code, redirect.headers.location], [302, `${PODS}/web-0/proxy/elsewhere`]);
  });

  it('rewrites the links of pages', async () => {
    const expected = `<a href="${PODS}/web-0/proxy/elsewhere">there</a>`;
    assert.equal((await ask(`${PODS}/web-0/proxy/page`)).text, expected);
    const { headers, bytes } = await ask(`${PODS}/web-0/proxy/zipped`, {
      headers: { 'accept-encoding': 'gzip' },
    });
    assert.equal(headers['content-encoding'], 'gzip');
    assert.equal(gunzipSync(bytes).toString(), expected);
    assert.equal((await ask(`${PODS}/web-0/proxy/page`, { method: 'HEAD' })).headers['content-length'], '30');
  });

  it('says in a Status what keeps it from the pod', async () => {
    const nobody = await ask(`${PODS}/nobody/proxy/`);
    assert.equal(JSON.parse(nobody.text).message, 'pods "nobody" not found');
    const refused = await ask(`${PODS}/web-0:1/proxy/`);
    assert.equal(refused.code, 503);
    assert.equal(
      JSON.parse(refused.text).message,
      `error trying to reach service: dial tcp ${address}:1: connect: connection refused`,
    );
    const body = { metadata: { name: 'empty' }, spec: { ports: [{ port: 80 }] } };
    await server.object('create', 'services', { body });
    const service = await ask('/api/v1/namespaces/default/services/empty/proxy/');
    assert.equal(JSON.parse(service.text).message, 'no endpoints available for service "empty"');
  });

  it('is allowed by the verb that the method means, on pods/proxy', async () => {
    assert.equal((await ask(`${PODS}/web-0/proxy/`, { as: 'visitor' })).code, 200);
    const { code, text } = await ask(`${PODS}/web-0/proxy/`, { as: 'visitor', method: 'POST' });
    assert.equal(code, 403);
    assert.match(JSON.parse(text).message, /cannot create resource "pods\/proxy"/);
    assert.equal((await ask(`${PODS}/web-0/proxy/`, { as: 'stranger' })).code, 403);
  });

  it('breaks off when the pod does, and lets go of the pod when the client does', async () => {
    await assert.rejects(ask(`${PODS}/web-0/proxy/breaks`), /aborted|ECONNRESET|socket hang up/);
    const request = httpsRequest({
      host: '127.0.0.1',
      port: https.port,
      path: `${PODS}/web-0/proxy/endless`,
      ca: certificates.ca,
      agent: false,
      ...admin,
    });
    request.on('error', () => {});
    request.end();
    await new Promise<void>((resolve) => {
      request.once('response', (response) => {
        response.on('error', () => {});
        response.once('data', () => resolve());
      });
    });
    assert.equal(openProxies(), 1);
    request.destroy();
    await lastBroken;
    await until(() => openProxies() === 0);
  });

  function upgrade(path: string): Promise<{ code: number; headers: IncomingHttpHeaders; socket?: Duplex }> {
    return new Promise((resolve, reject) => {
      const request = httpsRequest({
        host: '127.0.0.1',
        port: https.port,
        path,
        ca: certificates.ca,
        agent: false,
        headers: { connection: 'Upgrade', upgrade: 'echo' },
        ...admin,
      });
      request.once('upgrade', (response, socket) =>
        resolve({ code: response.statusCode ?? 0, headers: response.headers, socket }),
      );
      request.once('response', (response) => {
        response.resume();
        resolve({ code: response.statusCode ?? 0, headers: response.headers });
      });
      request.once('error', reject);
      request.end();
    });
  }

  it('passes an upgrade through, both ways, until one side ends', async () => {
    const { code, headers, socket } = await upgrade(`${PODS}/web-0/proxy/ws`);
    assert.ok(socket);
    assert.deepEqual([code, headers.upgrade], [101, 'echo']);
    assert.equal(headers['x-seen-uri'], `${PODS}/web-0/proxy/ws`);
    socket.write('ping');
    const [answer] = await new Promise<Buffer[]>((resolve) =>
      socket.once('data', (chunk: Buffer) => resolve([chunk])),
    );
    assert.equal(answer?.toString(), 'ping');
    assert.equal(openProxies(), 1);
    socket.destroy();
    await until(() => openProxies() === 0);
    assert.equal((await upgrade(`${PODS}/web-0/proxy/refused`)).code, 403);
    assert.equal((await upgrade(`${PODS}/web-0/proxy/plain`)).code, 500);
    assert.equal((await upgrade(`${PODS}/web-0:1/proxy/`)).code, 503);
    await until(() => openProxies() === 0);
  });

  it('works over HTTP/2', async () => {
    const session: ClientHttp2Session = connectHttp2(`https://127.0.0.1:${https.port}`, {
      ca: certificates.ca,
      ...admin,
    });
    try {
      const path = `${PODS}/web-0/proxy/`;
      const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'text/plain' });
      stream.end('over two');
      let text = '';
      stream.on('data', (chunk: Buffer) => {
        text += chunk;
      });
      await new Promise((resolve, reject) => stream.once('end', resolve).once('error', reject));
      const seen = JSON.parse(text);
      assert.deepEqual([seen.method, seen.body], ['POST', 'over two']);
      assert.equal(seen.headers.host, `127.0.0.1:${https.port}`);
      const broken = session.request({ ':path': `${PODS}/web-0/proxy/breaks` });
      broken.resume();
      await new Promise((resolve) => broken.once('error', resolve));
      assert.notEqual(broken.rstCode, constants.NGHTTP2_NO_ERROR);
    } finally {
      session.destroy();
    }
  });

  it('refuses one client that opens too many, and nobody else', async () => {
    const session = connectHttp2(`https://127.0.0.1:${https.port}`, { ca: certificates.ca, ...admin });
    session.on('error', () => {});
    const open = (agent: string): Promise<number> =>
      new Promise((resolve) => {
        const stream = session.request({ ':path': `${PODS}/web-0/proxy/endless`, 'user-agent': agent });
        stream.on('error', () => {});
        stream.once('response', (headers) => resolve(Number(headers[':status'])));
      });
    const codes = await Promise.all(Array.from({ length: 402 }, () => open('flood/1')));
    assert.deepEqual(
      codes.filter((code) => code !== 200),
      [429, 429],
    );
    assert.equal(await open('other/1'), 200);
    const { text } = await ask('/metrics');
    assert.match(text, /apiserver_longrunning_requests\{[^}]*subresource="proxy"[^}]*\} 401/);
    session.destroy();
    await until(() => openProxies() === 0);
  });

  /** Connections to the pod that are open. */
  const openProxies = (): number => sockets.size;

  async function until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
  }
});
