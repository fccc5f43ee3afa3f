// Who is believed to be who: forged, stolen, outlived and misplaced credentials are nobody's.
import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../kit/stead.ts';
import { Target } from './attacker.ts';

const PODS = '/api/v1/namespaces/default/pods';
const SELF = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('credentials', () => {
  let target: Target;
  before(async () => {
    target = await Target.start();
    await target.account('default', 'reader', [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }]);
  });
  after(() => target?.end());

  it('lets nobody without credentials see more than that it is there', async () => {
    for (const path of ['/version', '/readyz', '/livez', '/healthz'])
      assert.equal((await target.try('GET', path)).code, 200, path);
    for (const path of [PODS, '/api/v1/secrets', '/metrics', '/apis', '/openapi/v3', '/logs', '/debug/pprof'])
      assert.match(`${(await target.try('GET', path)).code}`, /401|403|404/, path);
    assert.equal((await target.try('POST', PODS, { body: {} })).code, 403);
  });

  it('believes a token that it has signed, and only in its header', async () => {
    const token = await target.token('default', 'reader');
    assert.equal((await target.try('GET', PODS, { token })).code, 200);
    for (const path of [`${PODS}?access_token=${token}`, `${PODS}?token=${token}`])
      assert.equal((await target.try('GET', path)).code, 403, 'as anonymous');
    assert.equal((await target.try('GET', PODS, { headers: { cookie: `token=${token}` } })).code, 403);
  });

  it('refuses tokens that are changed, unsigned, or signed by others', async () => {
    const token = await target.token('default', 'reader');
    const [head = '', payload = '', signature = ''] = token.split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString());
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const admin = encode({ ...claims, sub: 'system:serviceaccount:kube-system:default' });
    const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const signed = (over: string): string =>
      sign('sha256', Buffer.from(over), { key: own.privateKey, dsaEncoding: 'ieee-p1363' }).toString(
        'base64url',
      );
    // The key that verifies is published: as a secret of HMAC it must open nothing.
    const jwks = await target.try('GET', '/openid/v1/jwks', { asAdmin: true });
    const jwk = JSON.parse(jwks.text).keys[0];
    const published = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const hmacHead = encode({ ...header, alg: 'HS256' });
    const hmac = createHmac('sha256', published).update(`${hmacHead}.${admin}`).digest('base64url');
    const jwkHead = encode({ ...header, jwk: own.publicKey.export({ format: 'jwk' }) });
    const forged = {
      'another subject under the old signature': `${head}.${admin}.${signature}`,
      'algorithm none': `${encode({ ...header, alg: 'none' })}.${admin}.`,
      'algorithm none, with the old signature': `${encode({ ...header, alg: 'none' })}.${admin}.${signature}`,
      'the public key as an HMAC secret': `${hmacHead}.${admin}.${hmac}`,
      'a key of its own in the header': `${jwkHead}.${admin}.${signed(`${jwkHead}.${admin}`)}`,
      'a key of its own': `${head}.${admin}.${signed(`${head}.${admin}`)}`,
      'an empty signature': `${head}.${payload}.`,
      'a signature of zeros': `${head}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
      'a part too many': `${token}.${signature}`,
      'a part too few': `${head}.${payload}`,
      nothing: '',
      'two megabytes': 'a'.repeat(1 << 16),
    };
    for (const [what, forgery] of Object.entries(forged)) {
      const { code } = await target.try('GET', PODS, { token: forgery }).catch(() => ({ code: 431 }));
      assert.match(`${code}`, /^(401|431)$/, what);
    }
  });

  it('refuses tokens for another audience, and does not hand out eternal ones', async () => {
    const token = await target.token('default', 'reader', { audiences: ['vault'] });
    assert.equal((await target.try('GET', PODS, { token })).code, 401);
    const long = await target.admin('POST', '/api/v1/namespaces/default/serviceaccounts/reader/token', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 2 ** 32 },
    });
    const claims = JSON.parse(
      Buffer.from(JSON.parse(long.text).status.token.split('.')[1], 'base64url').toString(),
    );
    assert.ok(claims.exp - claims.iat <= 2 ** 32);
    const short = await target.try('POST', '/api/v1/namespaces/default/serviceaccounts/reader/token', {
      asAdmin: true,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 1 },
      },
    });
    assert.equal(short.code, 422);
  });

  it('ends a token with its account, and with the account that comes after it under the same name', async () => {
    const accounts = '/api/v1/namespaces/default/serviceaccounts';
    await target.admin('POST', accounts, { metadata: { name: 'brief' } });
    const token = await target.token('default', 'brief');
    assert.equal((await target.try('POST', SELF, { token, body: {} })).code, 201);
    await target.admin('DELETE', `${accounts}/brief`);
    const refused = (): Promise<number> =>
      target.try('POST', SELF, { token, body: {} }).then(({ code }) => code);
    await eventually('the token is refused', refused, (code) => code === 401);
    await target.admin('POST', accounts, { metadata: { name: 'brief' } });
    assert.equal(await refused(), 401);
  });

  it('ends a token that is bound to a pod with the pod', async () => {
    const pod = {
      metadata: { name: 'bound' },
      spec: { serviceAccountName: 'reader', containers: [{ name: 'c', image: 'x' }] },
    };
    const { text } = await target.admin('POST', PODS, pod);
    const { uid } = JSON.parse(text).metadata;
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'bound', uid };
    const token = await target.token('default', 'reader', { boundObjectRef });
    assert.equal((await target.try('GET', PODS, { token })).code, 200);
    await target.admin('DELETE', `${PODS}/bound?gracePeriodSeconds=0`);
    await eventually(
      'the token is refused',
      () => target.try('GET', PODS, { token }).then(({ code }) => code),
      (code) => code === 401,
    );
  });

  it('does not take anybody at his word: headers of proxies, and impersonation without the right', async () => {
    const token = await target.token('default', 'reader');
    const claims = [
      { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' },
      { 'x-forwarded-user': 'admin', 'x-forwarded-for': '127.0.0.1' },
      { 'x-client-cert': 'CN=admin,O=system:masters' },
    ];
    for (const headers of claims)
      assert.equal((await target.try('GET', '/api/v1/secrets', { headers })).code, 403);
    const others = [
      { 'impersonate-user': 'stead-admin' },
      { 'impersonate-user': 'system:serviceaccount:default:reader', 'impersonate-group': 'system:masters' },
      { 'impersonate-user': 'x', 'impersonate-uid': '1' },
      { 'impersonate-user': 'x', 'impersonate-extra-scopes': 'all' },
    ];
    for (const headers of others)
      assert.equal((await target.try('GET', PODS, { token, headers })).code, 403, JSON.stringify(headers));
    // Who sends no user impersonates nobody: upstream calls that a bad request.
    for (const headers of [{ 'impersonate-group': 'system:masters' }, { 'impersonate-uid': '1' }]) {
      const { code } = await target.try('GET', PODS, { asAdmin: true, headers });
      assert.ok(code >= 400, JSON.stringify(headers));
    }
  });
});
