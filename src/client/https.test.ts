import 'reflect-metadata';
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import * as x509 from '@peculiar/x509';
import { isConflict, isExpired, isNotFound, notFound, StatusError } from '../api/errors.ts';
import { silentLog } from '../base/log.ts';
import type { Client } from './client.ts';
import { httpsClient } from './https.ts';
import { createInformers } from './shared-informers.ts';
import { type Note, notes } from './test-api.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

async function selfSigned(): Promise<{ key: string; cert: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=test',
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }]),
      new x509.BasicConstraintsExtension(true),
    ],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`;
  return { key, cert: certificate.toString('pem') };
}

interface Seen {
  line: string;
  type: string | undefined;
  authorization: string | undefined;
  body: string;
}

describe('https client', { timeout: 30_000 }, () => {
  let pair: { key: string; cert: string };
  let server: Server;
  let client: Client;
  let url: string;
  let seen: Seen[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  const json = (response: ServerResponse, code: number, body: unknown): void => {
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

  before(async () => {
    pair = await selfSigned();
  });
  beforeEach(async () => {
    seen = [];
    answer = (_, response) => json(response, 200, { metadata: { name: 'one', labels: {} } });
    server = createServer(pair, async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const { 'content-type': type, authorization } = request.headers;
      seen.push({ line: `${request.method} ${request.url}`, type, authorization, body });
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    client = httpsClient({ server: url, ca: pair.cert, token: 'secret' });
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('speaks the verbs as the API expects them', async () => {
    const one = await client.get(notes, { namespace: 'a', name: 'one' });
    assert.ok(Object.isFrozen(one.metadata.labels));
    const note: Note = { metadata: { name: 'one', namespace: 'a', resourceVersion: '3' }, text: 'x' };
    await client.create(notes, note);
    await client.update(notes, note, { subresource: 'status' });
    await client.patch(notes, { namespace: 'a', name: 'one' }, { type: 'merge', body: { text: 'y' } });
    await client.patch(notes, { namespace: 'a', name: 'one' }, { type: 'json', body: [] });
    await client.createSubresource(notes, { namespace: 'a', name: 'one' }, 'binding', note);
    await client.delete(notes, { namespace: 'a', name: 'one' }, { gracePeriodSeconds: 0 });
    const root = '/apis/test.stead.dev/v1/namespaces/a/notes';
    assert.deepEqual(
      seen.map(({ line, type }) => `${line} ${type ?? ''}`),
      [
        `GET ${root}/one `,
        `POST ${root} application/json`,
        `PUT ${root}/one/status application/json`,
        `PATCH ${root}/one application/merge-patch+json`,
        `PATCH ${root}/one application/json-patch+json`,
        `POST ${root}/one/binding application/json`,
        `DELETE ${root}/one application/json`,
      ],
    );
    assert.equal(seen[0]?.authorization, 'Bearer secret');
    assert.deepEqual(JSON.parse(seen[1]?.body ?? ''), {
      apiVersion: 'test.stead.dev/v1',
      kind: 'Note',
      ...note,
    });
    assert.equal(JSON.parse(seen[6]?.body ?? '').gracePeriodSeconds, 0);
  });

  it('lists with selectors, and says of each item what it is', async () => {
    answer = (_, response) =>
      json(response, 200, { metadata: { resourceVersion: '5' }, items: [{ metadata: { name: 'one' } }] });
    const list = await client.list(notes, { labelSelector: 'a=b', limit: 10 });
    assert.equal(seen[0]?.line, 'GET /apis/test.stead.dev/v1/notes?labelSelector=a%3Db&limit=10');
    assert.deepEqual(list.items, [
      { apiVersion: 'test.stead.dev/v1', kind: 'Note', metadata: { name: 'one' } },
    ]);
  });

  it('throws refusals as StatusErrors, and names a server that cannot be reached', async () => {
    answer = (_, response) => json(response, 404, notFound(notes, 'one').status);
    const key = { namespace: 'a', name: 'one' };
    await assert.rejects(client.get(notes, key), isNotFound);
    answer = (_, response) =>
      json(response, 409, { kind: 'Status', reason: 'Conflict', message: 'no', code: 409 });
    await assert.rejects(client.delete(notes, key), isConflict);
    answer = (_, response) => json(response, 410, { kind: 'Status', reason: 'Expired', code: 410 });
    await assert.rejects(client.watch(notes, { resourceVersion: '1' }), isExpired);
    answer = (_, response) => void response.writeHead(502).end('bad gateway');
    await assert.rejects(client.get(notes, key), (error) => {
      return (
        error instanceof StatusError &&
        error.code === 502 &&
        /502 Bad Gateway: bad gateway/.test(error.message)
      );
    });
    await assert.rejects(
      httpsClient({ server: url }).get(notes, key),
      /cannot reach the API at https:\/\/127.0.0.1:\d+: self.signed certificate/,
    );
    await assert.rejects(httpsClient({ server: 'https://127.0.0.1:1' }).get(notes, key), /ECONNREFUSED/);
  });

  it('follows a watch whose lines are cut anywhere, until it is stopped', async () => {
    let send: (part: Buffer) => void = () => {};
    let closed = false;
    answer = (_, response) => {
      send = (part) => void response.write(part);
      response.on('close', () => {
        closed = true;
      });
      response.writeHead(200).flushHeaders();
    };
    const stream = await client.watch(notes, { resourceVersion: '1', namespace: 'a' });
    assert.match(seen[0]?.line ?? '', /notes\?resourceVersion=1&watch=true&allowWatchBookmarks=true$/);
    const line = `${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'ü'.repeat(50) } } })}\n`;
    const bytes = Buffer.from(line + line + line);
    const names: (string | undefined)[] = [];
    for (let i = 0; i < bytes.length; i += 37) send(bytes.subarray(i, i + 37));
    while (names.length < 3) {
      for (const event of (await stream.next()) ?? []) {
        if (event.type === 'ADDED') names.push(event.object.metadata.name);
      }
    }
    assert.deepEqual(names, Array(3).fill('ü'.repeat(50)));
    const next = stream.next();
    stream.stop();
    assert.equal(await next, undefined);
    while (!closed) await new Promise((resolve) => setImmediate(resolve));
  });

  it('carries an informer, which ends with its signal', async () => {
    answer = (request, response) => {
      if (request.url?.includes('watch=')) {
        const object = { metadata: { name: 'two', namespace: 'a', resourceVersion: '6' } };
        response.writeHead(200);
        response.write(`${JSON.stringify({ type: 'ADDED', object })}\n`);
      } else json(response, 200, { metadata: { resourceVersion: '5' }, items: [] });
    };
    const stop = new AbortController();
    const clock = { now: () => 0, after: () => () => {} };
    const informer = createInformers(client, clock, silentLog, stop.signal).of(notes);
    await new Promise<void>((resolve) => informer.subscribe({ added: () => resolve() }));
    assert.equal(informer.list('a')[0]?.metadata.name, 'two');
    stop.abort();
  });
});
