// The checks against real servers on the loopback: what they say, and where HTTP redirects lead them.
import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { CheckResult, HttpCheck } from '../pods/do/node-services.ts';
import { HTTP_TO_HTTPS_CLIENT } from './http-check.ts';
import { networkChecks } from './network-checks.ts';

const checks = networkChecks({
  now: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
});

describe('network checks', () => {
  let port = 0;
  let last: IncomingHttpHeaders = {};
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server');
    last = request.headers;
    asked.push(request.url ?? '');
    if (pathname === '/hang') return;
    const code = Number(/^\/(\d{3})/.exec(pathname)?.[1] ?? 200);
    const left = Number(searchParams.get('left') ?? 0);
    const location = left > 0 ? `/302?left=${left - 1}` : searchParams.get('to');
    response.writeHead(code === 302 && !location ? 200 : code, location ? { location } : {});
    response.end(`body of ${pathname}`);
  });
  before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  before(() => {
    ({ port } = server.address() as AddressInfo);
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const ask = (path: string, more: Partial<HttpCheck> = {}, timeoutMs = 5000): Promise<CheckResult> => {
    const order: HttpCheck = {
      purpose: 'probe',
      scheme: 'HTTP',
      host: '127.0.0.1',
      port,
      path,
      headers: [],
      ...more,
    };
    return checks.http(order, timeoutMs);
  };
  const OK = { ok: true, message: '' };

  it('say what upstream says', async () => {
    assert.deepEqual(await ask('/204'), OK);
    assert.deepEqual(await ask('/503'), { ok: false, message: 'HTTP probe failed with statuscode: 503' });
    assert.match((await ask('/hang', {}, 50)).message, /context deadline exceeded/);
    assert.equal((await checks.tcp('127.0.0.1', port, 1000)).ok, true);
    const free = await new Promise<number>((resolve) => {
      const other = createServer().listen(0, '127.0.0.1', () => {
        const address = other.address() as AddressInfo;
        other.close(() => resolve(address.port));
      });
    });
    assert.equal(
      (await ask('/ok', { port: free })).message,
      `Get "http://127.0.0.1:${free}/ok": dial tcp 127.0.0.1:${free}: connect: connection refused`,
    );
    assert.equal((await checks.grpc('127.0.0.1', free, '', 300)).ok, false);
    assert.equal((await ask('/ok', { host: 'no host' })).ok, false);
  });

  it('send the headers that are asked for, and upstream’s own', async () => {
    await ask('ok?a=b c', { headers: [{ name: 'X-Key', value: 'v' }] });
    assert.equal(asked.at(-1), '/ok?a=b%20c');
    assert.equal(last['x-key'], 'v');
    assert.equal(last['user-agent'], 'kube-probe/1.36');
    assert.equal(last.accept, '*/*');
    const headers = [
      { name: 'Accept', value: '' },
      { name: 'user-agent', value: 'me' },
      { name: 'Host', value: 'shop.example' },
    ];
    await ask('/302?to=/200', { headers });
    assert.equal(last.accept, undefined);
    assert.equal(last['user-agent'], 'me');
    assert.equal(last.host, 'shop.example');
    assert.equal((await ask('/ok', { headers: [{ name: 'X', value: 'a\nb' }] })).ok, false);
  });

  it('follow redirects on the host: what counts is where they end', async () => {
    assert.deepEqual(await ask('/302?to=/200'), OK);
    assert.deepEqual(await ask('/307?to=/503'), {
      ok: false,
      message: 'HTTP probe failed with statuscode: 503',
    });
    assert.deepEqual(await ask(`/301?to=http://127.0.0.1:${port}/204`), OK);
    assert.deepEqual(await ask('/302?left=9'), OK);
    assert.match((await ask('/302?left=10')).message, /: stopped after 10 redirects$/);
  });

  it('a redirect to another host, or to none, succeeds with a warning', async () => {
    for (const path of [`/302?to=http://localhost:${port}/503`, '/304']) {
      const result = await ask(path);
      assert.equal(result.ok, true);
      assert.match(result.warning ?? '', /^Probe terminated redirects, Response body: /);
    }
    assert.equal(
      (await ask('/302?to=http://elsewhere.invalid/')).warning,
      'Probe terminated redirects, Response body: body of /302',
    );
  });

  it('a server that ends its lines without carriage returns is understood', async () => {
    const plain = createTcpServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 503 No\nContent-Length: 0\n\n'));
    });
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const address = plain.address() as AddressInfo;
    assert.equal((await ask('/', { port: address.port })).message, 'HTTP probe failed with statuscode: 503');
    plain.close();
  });

  describe('an answer whose body', () => {
    const HEAD = 'HTTP/1.1 200 OK\r\n';
    const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;
    /** What is said of a server that writes this, and then ends or (if it `hangs`) says nothing more. */
    async function said(text: string, hangs = false, purpose: HttpCheck['purpose'] = 'probe') {
      const raw = createTcpServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => (hangs ? socket.write(text) : socket.end(text)));
      });
      await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
      const address = raw.address() as AddressInfo;
      const result = await ask('/', { port: address.port, purpose }, hangs ? 200 : 5000);
      raw.close();
      return result;
    }
    const errored = (message: string) => ({ ok: false, message, errored: 'failure' });

    it('ends before its length is no answer', async () => {
      assert.deepEqual(await said(`${HEAD}Content-Length: 9\r\n\r\nhalf`), errored('unexpected EOF'));
      assert.deepEqual(await said(`${CHUNKED}4\r\nhalf\r\n`), errored('unexpected EOF'));
      assert.deepEqual(
        await said(`${HEAD.replace('200', '503')}Content-Length: 9\r\n\r\nhalf`),
        errored('unexpected EOF'),
      );
    });

    it('is malformed is no answer', async () => {
      assert.deepEqual(await said(`${CHUNKED}zz\r\n`), errored('malformed chunked encoding'));
    });

    it('does not come in time is no answer', async () => {
      assert.deepEqual(
        await said(`${HEAD}Content-Length: 9\r\n\r\nhalf`, true),
        errored('context deadline exceeded (Client.Timeout or context cancellation while reading body)'),
      );
    });

    it('is long enough, or ends with its connection, is one', async () => {
      assert.deepEqual(await said(`${HEAD}Content-Length: 99999\r\n\r\n${'x'.repeat(10_240)}`, true), OK);
      assert.deepEqual(await said(`${HEAD}\r\nall of it`), OK);
    });

    it('breaks is good enough for a lifecycle hook', async () => {
      assert.deepEqual(await said(`${HEAD}Content-Length: 9\r\n\r\nhalf`, false, 'lifecycle'), OK);
    });
  });

  it('to a lifecycle hook every answer is as good', async () => {
    assert.deepEqual(await ask('/500', { purpose: 'lifecycle' }), OK);
    assert.equal(last['user-agent'], 'kube-lifecycle/1.36');
  });

  it('a server without TLS is told from one that fails', async () => {
    const result = await ask('/ok', { scheme: 'HTTPS' });
    assert.equal(result.ok, false);
    assert.ok(result.message.includes(HTTP_TO_HTTPS_CLIENT), result.message);
  });
});
