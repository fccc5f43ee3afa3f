// Tokens as others read them, and those that are none of ours.
import assert from 'node:assert/strict';
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { test } from 'node:test';
import { type Claims, generateJwtKey, jwtKey } from './jwt.ts';

const key = jwtKey(generateJwtKey());
const claims: Claims = {
  sub: 'system:serviceaccount:default:web',
  aud: ['a'],
  'kubernetes.io': { namespace: 'ä' },
};
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('a token says what was signed', () => {
  assert.deepEqual(key.verify(key.sign(claims)), claims);
});

test('whoever has the public key verifies it by the book (RFC 7515, ES256)', async () => {
  const [head = '', payload = '', signature = ''] = key.sign(claims).split('.');
  const { alg, kid, use, ...jwk } = key.publicJwk();
  assert.deepEqual(JSON.parse(Buffer.from(head, 'base64url').toString()), { alg: 'ES256', kid });
  assert.deepEqual([alg, use], ['ES256', 'sig']);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const publicKey = await webcrypto.subtle.importKey('jwk', jwk, algorithm, true, ['verify']);
  const bytes = Buffer.from(signature, 'base64url');
  assert.ok(await webcrypto.subtle.verify(algorithm, publicKey, bytes, Buffer.from(`${head}.${payload}`)));
});

test('what is not signed with the key, as it signs, is no token', () => {
  const [head = '', payload = '', signature = ''] = key.sign(claims).split('.');
  const { kid } = key.publicJwk();
  const forged = {
    'another key': jwtKey(generateJwtKey()).sign(claims),
    'other claims': `${head}.${encoded({ ...claims, sub: 'admin' })}.${signature}`,
    'no algorithm': `${encoded({ alg: 'none', kid })}.${payload}.`,
    'another algorithm': `${encoded({ alg: 'HS256', kid })}.${payload}.${signature}`,
    'another header of the same meaning': `${encoded({ kid, alg: 'ES256' })}.${payload}.${signature}`,
    'no signature': `${head}.${payload}`,
    'half a signature': `${head}.${payload}.${signature.slice(0, 40)}`,
    'a further part': `${head}.${payload}.${signature}.`,
    'too much': key.sign({ long: 'x'.repeat(20_000) }),
    'no object': key.sign(Object.assign([], claims)),
    nothing: '',
    dots: '...',
  };
  for (const [what, token] of Object.entries(forged)) assert.equal(key.verify(token), undefined, what);
});

test('a key that ES256 is not for is refused', () => {
  const { privateKey: p384 } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const { privateKey: ed25519 } = generateKeyPairSync('ed25519');
  assert.throws(() => jwtKey(p384), /ec on secp384r1: it must be an EC key \(P-256\)/);
  assert.throws(() => jwtKey(ed25519), /ed25519: it must be an EC key \(P-256\)/);
});
