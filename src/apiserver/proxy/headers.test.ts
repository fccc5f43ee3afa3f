// What of a request and its answer goes through the proxy, and what does not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestHeaders, responseHeaders, rewriteLocation } from './headers.ts';

const PREFIX = '/api/v1/namespaces/default/pods/web-0/proxy';
const passage = { prefix: PREFIX, rest: '/a?b=c', clientAddress: '10.1.2.3', hasBody: false };

test('headers of one connection and credentials stay behind, the others go on', () => {
  const sent = requestHeaders(
    {
      host: 'localhost:8001',
      connection: 'keep-alive, X-Private',
      'x-private': '1',
      'keep-alive': 'timeout=5',
      'transfer-encoding': 'chunked',
      te: 'trailers',
      upgrade: 'h2c',
      authorization: 'Bearer secret',
      'impersonate-user': 'eve',
      'impersonate-extra-a': 'b',
      cookie: 'a=b',
      accept: 'text/html',
    },
    passage,
  );
  assert.deepEqual(sent, {
    host: 'localhost:8001',
    cookie: 'a=b',
    accept: 'text/html',
    'x-forwarded-for': '10.1.2.3',
    'x-forwarded-uri': `${PREFIX}/a`,
  });
});

test('a proxy before this one is remembered, and a body of unknown length comes in chunks', () => {
  const sent = requestHeaders({ 'x-forwarded-for': '1.1.1.1' }, { ...passage, hasBody: true });
  assert.equal(sent['x-forwarded-for'], '1.1.1.1, 10.1.2.3');
  assert.equal(sent['transfer-encoding'], 'chunked');
  assert.equal(
    requestHeaders({ 'content-length': '3' }, { ...passage, hasBody: true })['transfer-encoding'],
    undefined,
  );
});

test('HTTP/2’s own headers are none of HTTP/1.1’s', () => {
  const sent = requestHeaders({ ':authority': 'api:6443', ':path': '/x', host: 'api:6443' }, passage);
  assert.deepEqual(
    Object.keys(sent).filter((name) => name.startsWith(':')),
    [],
  );
  assert.equal(sent.host, 'api:6443');
});

test('redirects to the pod lead through the proxy, others where they say', () => {
  const rewritten = (location: string): string =>
    rewriteLocation(location, PREFIX, '10.244.0.2:80', 'localhost:8001');
  assert.equal(rewritten('/login?next=/'), `${PREFIX}/login?next=/`);
  assert.equal(rewritten('http://10.244.0.2:80/login/'), `${PREFIX}/login/`);
  assert.equal(rewritten('https://localhost:8001/login'), `${PREFIX}/login`);
  assert.equal(rewritten('http://10.244.0.2:80'), `${PREFIX}/`);
  assert.equal(rewritten('https://example.com/login'), 'https://example.com/login');
  assert.equal(rewritten('//example.com/login'), '//example.com/login');
  assert.equal(rewritten('next'), 'next');
  assert.equal(rewritten(`${PREFIX}/login`), `${PREFIX}/login`);
});

test('an answer keeps its cookies apart and loses what is of its connection', () => {
  const sent = responseHeaders(
    { 'set-cookie': ['a=1', 'b=2'], connection: 'close', 'transfer-encoding': 'chunked', location: '/x' },
    (url) => PREFIX + url,
  );
  assert.deepEqual(sent, { 'set-cookie': ['a=1', 'b=2'], location: `${PREFIX}/x` });
});
