// Pages of strangers in the browser of somebody who has a client certificate, which the browser shows by itself.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Besieged, besieged } from './server.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const BODY = JSON.stringify({ metadata: { name: 'x' } });

describe('browsers', () => {
  let server: Besieged;

  before(async () => {
    server = await besieged();
  });
  after(() => server.stop());

  const post = async (headers: Record<string, string>, anonymous = false): Promise<number> =>
    (await server.ask(`${CONFIG_MAPS}?dryRun=All`, { method: 'POST', headers, body: BODY, anonymous })).code;

  it('a form or script of another site changes nothing', async () => {
    // What a browser sends without asking first: three content types, or none at all.
    const sends = { origin: 'https://evil.example' };
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      assert.equal(await post({ ...sends, 'content-type': type }), 403, type);
      assert.equal(await post({ 'content-type': type }), 415, `${type} of nobody knows where`);
    }
    assert.equal(await post(sends), 403);
    assert.equal(await post({ ...sends, 'sec-fetch-site': 'cross-site' }), 403);
    assert.equal(await post({ 'sec-fetch-site': 'same-site', 'content-type': 'application/json' }), 403);
  });

  it('a link, an image or a frame of another site reads nothing', async () => {
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' };
    assert.equal((await server.ask('/api/v1/secrets', { headers })).code, 403);
  });

  it('nothing is offered to other sites, whatever they ask', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    const { headers: answered } = await server.ask(CONFIG_MAPS, { method: 'OPTIONS', headers });
    const offered = Object.keys(answered).filter((name) => name.startsWith('access-control-'));
    assert.deepEqual(offered, []);
  });

  it('a WebSocket of another site is not opened', async () => {
    const socket = await server.connect('http/1.1');
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    const ended = new Promise((resolve) => socket.once('close', resolve));
    const lines = [
      'GET /api/v1/namespaces/default/pods/p/exec?command=sh&stdout=true HTTP/1.1',
      `Host: 127.0.0.1:${server.port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      'Sec-WebSocket-Protocol: v5.channel.k8s.io',
      'Origin: https://evil.example',
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    await ended;
    assert.match(answer, /^HTTP\/1\.1 403 /);
  });

  it('a page of the own site, programs, and whoever shows a token are served', async () => {
    const json = { 'content-type': 'application/json' };
    assert.equal(await post(json), 201);
    assert.equal(await post({ ...json, 'sec-fetch-site': 'same-origin' }), 201);
    assert.equal(await post({ ...json, origin: `https://127.0.0.1:${server.port}` }), 201);
    // A token is nothing that a browser adds: it is asked for who shows it, which nobody here is.
    const token = { ...json, origin: 'https://dashboard.example', authorization: 'Bearer x' };
    assert.equal(await post(token, true), 401);
  });

  it('a name that leads here by a trick is as good as any: TLS has refused it, and nothing is done by name', async () => {
    const headers = { host: 'evil.example' };
    assert.equal((await server.ask('/api/v1/secrets', { headers, anonymous: true })).code, 403);
  });
});
