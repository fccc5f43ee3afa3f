// Identities and rights as kubectl sees them: RBAC, tokens of service accounts, reviews, impersonation.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLog } from '../base/log.ts';
import { directClient } from '../client/direct.ts';
import { ensureDefaultRbac } from './authz/ensure-default-rbac.ts';
import { type HttpsServer, serveHttps } from './http/port/serve-https.ts';
import { makeTestCertificates } from './test-certificates.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const skip =
  spawnSync('kubectl', ['version', '--client']).status === 0 ? false : 'there is no kubectl on the PATH';

let directory = '';
let server: TestServer;
let https: HttpsServer;

function kubectl(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const common = ['--kubeconfig', join(directory, 'kubeconfig'), '--cache-dir', join(directory, 'cache')];
  return new Promise((resolve) => {
    execFile('kubectl', [...common, ...args], { timeout: 30_000 }, (error, out, err) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, out, err });
    });
  });
}

async function ok(...args: string[]): Promise<string> {
  const { code, out, err } = await kubectl(...args);
  assert.equal(code, 0, `kubectl ${args.join(' ')}: ${err}${out}`);
  return out;
}

/** Runs kubectl, which must fail; what it complains of. */
async function refused(...args: string[]): Promise<string> {
  const { code, out, err } = await kubectl(...args);
  assert.notEqual(code, 0, `kubectl ${args.join(' ')}: ${out}`);
  return err || out;
}

before(async () => {
  if (skip) return;
  directory = await mkdtemp(join(tmpdir(), 'identity-test-'));
  const certificates = await makeTestCertificates();
  const admin = await certificates.client('admin', 'system:masters');
  server = await startTestServer();
  await server.handle('create', 'namespaces', { body: { metadata: { name: 'kube-system' } } });
  await ensureDefaultRbac(directClient(server.api, { name: 'system:apiserver', groups: ['system:masters'] }));
  https = await serveHttps({
    api: server.api,
    tls: { ...certificates.server, ca: certificates.ca },
    host: '127.0.0.1',
    port: 0,
    ...server.api.identity,
    log: silentLog,
    clock: server.clock,
    health: [],
  });
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const cluster = {
    server: `https://127.0.0.1:${https.port}`,
    'certificate-authority-data': base64(certificates.ca),
  };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [
      {
        name: 'admin',
        user: { 'client-certificate-data': base64(admin.cert), 'client-key-data': base64(admin.key) },
      },
      { name: 'nobody', user: {} },
    ],
    contexts: ['admin', 'nobody'].map((user) => ({ name: user, context: { cluster: 'test', user } })),
    'current-context': 'admin',
  };
  await writeFile(join(directory, 'kubeconfig'), JSON.stringify(config));
});

after(async () => {
  if (skip) return;
  await https.close();
  server.api.stop();
  await rm(directory, { recursive: true, force: true });
});

test('what is not allowed is refused; what a role gives is allowed', { skip }, async () => {
  assert.equal(
    await refused('get', 'pods', '--as', 'alice'),
    'Error from server (Forbidden): pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "default"\n',
  );
  await ok('create', 'role', 'reader', '--verb=get,list,watch', '--resource=pods,pods/log');
  await ok('create', 'rolebinding', 'alice-reads', '--role=reader', '--user=alice');
  assert.equal(await ok('get', 'pods', '--as', 'alice', '-o', 'name'), '');
  assert.equal(await ok('auth', 'can-i', 'get', 'pods/log', '--as', 'alice'), 'yes\n');
  assert.equal(await refused('auth', 'can-i', 'delete', 'pods', '--as', 'alice'), 'no\n');
  assert.match(
    await refused('get', 'pods', '--as', 'alice', '-A'),
    /cannot list resource "pods" in API group "" at the cluster scope/,
  );
  await ok('delete', 'rolebinding', 'alice-reads');
  assert.equal(await refused('auth', 'can-i', 'get', 'pods', '--as', 'alice'), 'no\n');
});

test('auth can-i --list and auth whoami answer for the one who asks', { skip }, async () => {
  assert.match(await ok('auth', 'can-i', '--list'), /\*\.\* +\[\] +\[\] +\[\*\]/);
  const list = await ok('auth', 'can-i', '--list', '--as', 'alice');
  assert.match(list, /selfsubjectreviews\.authentication\.k8s\.io +\[\] +\[\] +\[create\]/);
  assert.match(list, /\[\/openapi\/\*\] +\[\] +\[get\]/);
  const whoami = await ok('auth', 'whoami', '--as', 'alice', '--as-group', 'a', '--as-group', 'b');
  assert.match(whoami, /Username +alice\nGroups +\[a b system:authenticated\]/);
});

test('nobody gives away what they do not have', { skip }, async () => {
  await ok(
    'create',
    'clusterrolebinding',
    'carol-admin',
    '--clusterrole=system:aggregate-to-admin',
    '--user=carol',
  );
  const role = await refused('create', 'role', 'more', '--verb=get', '--resource=secrets', '--as', 'carol');
  assert.match(
    role,
    /roles\.rbac\.authorization\.k8s\.io "more" is forbidden: user "carol" \(groups=\["system:authenticated"\]\) is attempting to grant RBAC permissions not currently held:\n\{APIGroups:\[""\], Resources:\["secrets"\], Verbs:\["get"\]\}/,
  );
  const binding = await refused(
    'create',
    'rolebinding',
    'more',
    '--clusterrole=cluster-admin',
    '--user=carol',
    '--as',
    'carol',
  );
  assert.match(binding, /is attempting to grant RBAC permissions not currently held/);
  await ok(
    'create',
    'clusterrole',
    'binder',
    '--verb=bind',
    '--resource=clusterroles',
    '--resource-name=view',
  );
  await ok('create', 'clusterrolebinding', 'binder', '--clusterrole=binder', '--user=carol');
  await ok('create', 'rolebinding', 'viewer', '--clusterrole=view', '--user=dave', '--as', 'carol');
  await ok(
    'create',
    'role',
    'own',
    '--verb=get',
    '--resource=roles.rbac.authorization.k8s.io',
    '--as',
    'carol',
  );
});

test('a service account has tokens that end with it, with their pod and with their time', {
  skip,
}, async () => {
  await ok('create', 'serviceaccount', 'robot');
  await ok(
    'create',
    'rolebinding',
    'robot',
    '--clusterrole=system:aggregate-to-view',
    '--serviceaccount=default:robot',
  );
  const token = (await ok('create', 'token', 'robot', '--duration=10m')).trim();
  const asRobot = ['--context', 'nobody', '--token', token];
  assert.match(
    await ok('auth', 'whoami', ...asRobot),
    /system:serviceaccount:default:robot[\s\S]*\[system:serviceaccounts system:serviceaccounts:default system:authenticated\]/,
  );
  assert.equal(await ok('get', 'configmaps', '-o', 'name', ...asRobot), '');
  assert.match(
    await refused('get', 'secrets', ...asRobot),
    /User "system:serviceaccount:default:robot" cannot list/,
  );
  assert.match(
    await refused('create', 'token', 'robot', '--duration=9m'),
    /spec\.expirationSeconds: Invalid value: 540: may not specify a duration less than 10 minutes/,
  );
  server.clock.advance(10 * 60_000);
  assert.match(await refused('get', 'configmaps', ...asRobot), /You must be logged in to the server/);

  await ok('run', 'p', '--image=nginx', '--overrides={"spec":{"serviceAccountName":"robot"}}');
  const bound = (
    await ok('create', 'token', 'robot', '--bound-object-kind=Pod', '--bound-object-name=p')
  ).trim();
  const asPod = ['--context', 'nobody', '--token', bound];
  assert.match(await ok('auth', 'whoami', ...asPod), /authentication\.kubernetes\.io\/pod-name +\[p\]/);
  await ok('delete', 'pod', 'p');
  assert.match(await refused('get', 'configmaps', ...asPod), /You must be logged in to the server/);

  const last = (await ok('create', 'token', 'robot')).trim();
  await ok('delete', 'serviceaccount', 'robot');
  await ok('create', 'serviceaccount', 'robot');
  assert.match(
    await refused('get', 'configmaps', '--context', 'nobody', '--token', last),
    /You must be logged in/,
  );
});

test('a token that was tampered with, or is for somebody else, is no token', { skip }, async () => {
  await ok('create', 'serviceaccount', 'other');
  const token = (await ok('create', 'token', 'other')).trim();
  const [head = '', , signature = ''] = token.split('.');
  const forged = [head, Buffer.from('{"sub":"admin"}').toString('base64url'), signature].join('.');
  assert.match(
    await refused('get', 'pods', '--context', 'nobody', '--token', forged),
    /You must be logged in/,
  );
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`;
  assert.match(
    await refused('get', 'pods', '--context', 'nobody', '--token', unsigned),
    /You must be logged in/,
  );
  const elsewhere = (await ok('create', 'token', 'other', '--audience=vault')).trim();
  assert.match(
    await refused('get', 'pods', '--context', 'nobody', '--token', elsewhere),
    /You must be logged in/,
  );
  const review = async (spec: object) => {
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {}, spec };
    const made = await server.object('create', 'tokenreviews', { body });
    return (made as unknown as { status: { authenticated?: boolean; error?: string; audiences?: string[] } })
      .status;
  };
  assert.equal((await review({ token: elsewhere })).authenticated, undefined);
  assert.deepEqual((await review({ token: elsewhere, audiences: ['vault', 'x'] })).audiences, ['vault']);
});

test('only who may impersonate acts as others', { skip }, async () => {
  await ok('create', 'serviceaccount', 'plain');
  const token = (await ok('create', 'token', 'plain')).trim();
  assert.match(
    await refused(
      'get',
      'pods',
      '--context',
      'nobody',
      '--token',
      token,
      '--as',
      'admin',
      '--as-group',
      'system:masters',
    ),
    /users "admin" is forbidden: User "system:serviceaccount:default:plain" cannot impersonate resource "users" in API group "" at the cluster scope/,
  );
});

test('who has no credentials sees that the server lives, and no more', { skip }, async () => {
  assert.equal(await ok('get', '--raw', '/readyz', '--as', 'system:anonymous'), 'ok');
  assert.match(
    await refused('get', '--raw', '/api/v1/namespaces/default/pods', '--as', 'system:anonymous'),
    /pods is forbidden: User "system:anonymous" cannot list resource "pods"/,
  );
  assert.match(
    await refused('get', '--raw', '/metrics', '--as', 'system:anonymous'),
    /cannot get path "\/metrics"/,
  );
  const unserved = ['get', '--raw', '/apis/example.com/v1/widgets'];
  assert.match(await refused(...unserved, '--as', 'system:anonymous'), /cannot get path/);
  assert.match(await refused(...unserved), /the server could not find the requested resource/);
  const keys = JSON.parse(await ok('get', '--raw', '/openid/v1/jwks')) as { keys: Array<{ crv: string }> };
  assert.equal(keys.keys[0]?.crv, 'P-256');
});

test('the default roles are mended at the next start, unless somebody looks after them', {
  skip,
}, async () => {
  const client = directClient(server.api, { name: 'system:apiserver', groups: ['system:masters'] });
  await ok('patch', 'clusterrole', 'system:discovery', '--type=merge', '-p', '{"rules":[]}');
  await ok(
    'annotate',
    'clusterrole',
    'system:basic-user',
    '--overwrite',
    'rbac.authorization.kubernetes.io/autoupdate=false',
  );
  await ok('patch', 'clusterrole', 'system:basic-user', '--type=merge', '-p', '{"rules":[]}');
  await ensureDefaultRbac(client);
  const rules = async (name: string) => ok('get', 'clusterrole', name, '-o', 'jsonpath={.rules}');
  assert.match(await rules('system:discovery'), /openapi/);
  assert.doesNotMatch(await rules('system:basic-user'), /selfsubject/);
});
