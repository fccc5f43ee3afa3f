// What somebody with few rights can make of them: more rights, other people's namespaces, objects by another door.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Target } from './attacker.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const MINE = '/api/v1/namespaces/mine';
const CLUSTER_ADMIN = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
/** All but `escalate` and `bind`, which a `*` would have in it. */
const WRITES = ['get', 'list', 'create', 'update', 'patch'];
const EVERYTHING = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];

describe('rights', () => {
  let target: Target;
  let token = '';
  before(async () => {
    target = await Target.start();
    await target.namespace('mine');
    await target.namespace('theirs');
    await target.admin('POST', '/api/v1/namespaces/theirs/secrets', {
      metadata: { name: 'gold' },
      stringData: { key: 'treasure' },
    });
    await target.admin('POST', `${MINE}/pods`, {
      metadata: { name: 'app' },
      spec: { containers: [{ name: 'c', image: 'x' }] },
    });
    await target.account('mine', 'user', [
      { apiGroups: [''], resources: ['configmaps', 'pods'], verbs: WRITES },
      { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: WRITES },
    ]);
    token = await target.token('mine', 'user');
  });
  after(() => target?.end());

  const refused = async (method: string, path: string, body?: unknown, headers = {}): Promise<void> => {
    const { code, text } = await target.try(method, path, { token, body, headers });
    assert.match(
      `${code}`,
      /^(400|401|403|404|405|415)$/,
      `${method} ${path}: ${code} ${text.slice(0, 300)}`,
    );
    assert.ok(!text.includes('treasure') && !text.includes('dHJlYXN1cmU'), text);
  };

  it('gives nobody rights that the giver does not have', async () => {
    const roles = `${RBAC}/namespaces/mine/roles`;
    const bindings = `${RBAC}/namespaces/mine/rolebindings`;
    const subjects = [{ kind: 'ServiceAccount', name: 'user', namespace: 'mine' }];
    const metadata = { name: 'more' };
    await refused('POST', roles, { metadata, rules: EVERYTHING });
    await refused(
      'PATCH',
      `${roles}/user`,
      { rules: EVERYTHING },
      { 'content-type': 'application/merge-patch+json' },
    );
    await refused('PUT', `${roles}/user`, { metadata: { name: 'user' }, rules: EVERYTHING });
    await refused('POST', bindings, { metadata, roleRef: CLUSTER_ADMIN, subjects });
    await refused('POST', `${RBAC}/clusterrolebindings`, { metadata, roleRef: CLUSTER_ADMIN, subjects });
    await refused(
      'PATCH',
      `${roles}/new?fieldManager=x`,
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'new' },
        rules: EVERYTHING,
      },
      { 'content-type': 'application/apply-patch+yaml' },
    );
    await refused('POST', `${RBAC}/clusterroles`, {
      metadata: { name: 'x', labels: { 'rbac.authorization.k8s.io/aggregate-to-admin': 'true' } },
      rules: EVERYTHING,
    });
  });

  it('keeps to the namespace, however its path is spelled', async () => {
    for (const path of [
      '/api/v1/namespaces/theirs/secrets/gold',
      '/api/v1/namespaces/mine/../theirs/secrets/gold',
      '/api/v1/namespaces/mine/%2e%2e/theirs/secrets/gold',
      '/api/v1/namespaces/mine%2f..%2ftheirs/secrets/gold',
      '/api/v1/namespaces/mine/configmaps/..%2f..%2ftheirs%2fsecrets%2fgold',
      '//api/v1/namespaces/theirs/secrets/gold',
      '/api/v1//namespaces/theirs/secrets/gold',
      '/api/v1/./namespaces/theirs/secrets/gold',
      '/api/v1/namespaces/theirs/secrets/gold/',
      '/api/v1/namespaces/theirs/secrets/gold?namespace=mine',
      '/api/v1/namespaces/theirs/secrets/gold%00',
      '/api/v1/namespaces/THEIRS/secrets/gold',
      '/api/v1/namespaces/theirs%20/secrets/gold',
      '/API/v1/namespaces/theirs/secrets/gold',
      '/api/v1/secrets',
      '/api/v1/secrets?fieldSelector=metadata.namespace=mine',
      '/api/v1/watch/secrets',
      '/api/v1/namespaces/theirs/secrets?watch=true',
      '/api/v1/namespaces/theirs/secrets?limit=1&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ',
      'https://127.0.0.1/api/v1/namespaces/theirs/secrets/gold',
      '*',
    ])
      await refused('GET', path);
    const method = {
      'x-http-method-override': 'GET',
      'x-original-url': '/api/v1/namespaces/theirs/secrets/gold',
    };
    await refused('POST', '/api/v1/namespaces/theirs/secrets/gold', {}, method);
    await refused('GET', '/api/v1/namespaces/theirs/secrets/gold', undefined, method);
    const { code } = await target.try('GET', `${MINE}/configmaps`, { token, headers: method });
    assert.equal(code, 200);
  });

  it('keeps the body to the path: nothing is made elsewhere', async () => {
    await refused('POST', `${MINE}/configmaps`, { metadata: { name: 'x', namespace: 'theirs' } });
    await refused(
      'PATCH',
      `${MINE}/configmaps/y?fieldManager=a`,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'y', namespace: 'theirs' } },
      { 'content-type': 'application/apply-patch+yaml' },
    );
    await refused('POST', `${MINE}/configmaps`, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x' },
    });
  });

  it('asks for the right of every other door: subresources, streams, proxies, reviews of others', async () => {
    const upgrade = { connection: 'upgrade', upgrade: 'SPDY/3.1' };
    for (const door of ['exec?command=id', 'attach', 'portforward', 'proxy/', 'log'])
      await refused('GET', `${MINE}/pods/app/${door}`, undefined, door === 'log' ? {} : upgrade);
    for (const door of ['exec?command=id', 'attach', 'portforward'])
      await refused('POST', `${MINE}/pods/app/${door}`, undefined, upgrade);
    await refused('POST', `${MINE}/pods/app/eviction`, { metadata: { name: 'app' } });
    await refused('POST', `${MINE}/pods/app/binding`, { target: { name: 'node-0' } });
    await refused('PUT', `${MINE}/pods/app/status`, { metadata: { name: 'app' } });
    await refused('PUT', `${MINE}/pods/app/ephemeralcontainers`, { metadata: { name: 'app' } });
    await refused('POST', `${MINE}/serviceaccounts/user/token`, {});
    await refused('DELETE', `${MINE}/pods`);
    await refused('DELETE', `${MINE}/pods/app`);
    await refused('GET', '/api/v1/namespaces/theirs/services/x/proxy/');
    await refused('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token } });
    await refused('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', { spec: { user: 'x' } });
  });

  it('does not let an update make what may not be created, nor a create pass for an update', async () => {
    await target.account('mine', 'updater', [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['update', 'patch', 'get'] },
    ]);
    const updater = await target.token('mine', 'updater');
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'fresh' } };
    const put = await target.try('PUT', `${MINE}/configmaps/fresh`, { token: updater, body });
    assert.match(`${put.code}`, /^(403|404)$/);
    const apply = await target.try('PATCH', `${MINE}/configmaps/fresh?fieldManager=a`, {
      token: updater,
      body,
      headers: { 'content-type': 'application/apply-patch+yaml' },
    });
    assert.equal(apply.code, 403);
  });
});
