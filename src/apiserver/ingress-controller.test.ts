// What an ingress controller does, as a client with the rights of one: it watches ingresses of its class, and says where
// they are reached.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ingress, IngressClass } from '../api/generated/types.ts';
import type { Stored } from '../api/objects.ts';
import { authorized } from './authorized.ts';
import { defaultClusterRoles } from './authz/default-roles.ts';
import { ruleAllows } from './authz/rules.ts';
import { refusal } from './test-objects.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const CONTROLLER = { name: 'system:serviceaccount:default:ingress', groups: [] };
const GROUP = 'networking.k8s.io';

const ingress = (name: string, spec: object = {}): object => ({
  metadata: { name },
  spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } }, ...spec },
});

async function bindController(server: TestServer): Promise<void> {
  const rules = [
    { apiGroups: [GROUP], resources: ['ingresses', 'ingressclasses'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [GROUP], resources: ['ingresses/status'], verbs: ['update'] },
  ];
  await server.object('create', 'clusterroles', { body: { metadata: { name: 'ingress' }, rules } });
  const body = {
    metadata: { name: 'ingress' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'ingress' },
    subjects: [{ kind: 'User', name: CONTROLLER.name }],
  };
  await server.object('create', 'clusterrolebindings', { body });
}

test('an ingress controller watches ingresses and writes their status, and nothing else of them', async () => {
  const server = await startTestServer();
  await bindController(server);
  const front = authorized(server.api, server.api.identity.authorize, undefined);
  const asController: TestServer['handle'] = (verb, plural, parts) =>
    front.handle({ ...server.request(verb, plural, parts), user: CONTROLLER });
  await server.object<IngressClass>('create', 'ingressclasses', {
    body: { metadata: { name: 'here' }, spec: { controller: 'example.com/here' } },
  });

  const watched = await asController('watch', 'ingresses');
  assert.ok(watched.type === 'watch');
  await server.object('create', 'ingresses', { body: ingress('web', { ingressClassName: 'here' }) });
  const [event] = (await watched.stream.next()) ?? [];
  watched.stream.stop();
  assert.ok(event && event.type === 'ADDED');
  // The watch is of ingresses.
  const seen = event.object as Stored<Ingress>;
  assert.deepEqual([seen.spec?.ingressClassName, seen.metadata.generation], ['here', 1]);

  const loadBalancer = { ingress: [{ ip: '192.0.2.1', ports: [{ port: 80, protocol: 'TCP' }] }] };
  const body = { ...seen, spec: { rules: [] }, status: { loadBalancer } };
  const written = await asController('update', 'ingresses', { name: 'web', subresource: 'status', body });
  assert.ok(written.type === 'object');
  const stored = await server.object<Ingress>('get', 'ingresses', { name: 'web' });
  assert.deepEqual(
    [stored.status?.loadBalancer, stored.spec, stored.metadata.generation],
    [loadBalancer, seen.spec, 1],
  );
  const wrong = { ...stored, status: { loadBalancer: { ingress: [{ hostname: '192.0.2.1' }] } } };
  assert.match(
    (await refusal(asController('update', 'ingresses', { name: 'web', subresource: 'status', body: wrong })))
      .message ?? '',
    /status.loadBalancer.ingress\[0\].hostname: Invalid value: "192.0.2.1": must be a DNS name, not an IP address/,
  );
  assert.equal((await refusal(asController('update', 'ingresses', { name: 'web', body }))).code, 403);

  // Who writes the ingress does not write its status.
  const changed = { ...stored, spec: { ...stored.spec, ingressClassName: 'there' }, status: {} };
  const after = await server.object<Ingress>('update', 'ingresses', { name: 'web', body: changed });
  assert.deepEqual([after.status?.loadBalancer, after.metadata.generation], [loadBalancer, 2]);
});

test('an ingress without a class gets the newest default one, unless it has the old annotation', async () => {
  const server = await startTestServer();
  const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' };
  const spec = { controller: 'example.com/c' };
  const classOf = async (name: string, metadata: object = {}): Promise<string | undefined> => {
    const body = { ...ingress(name), metadata: { name, ...metadata } };
    return (await server.object<Ingress>('create', 'ingresses', { body })).spec?.ingressClassName;
  };
  assert.equal(await classOf('none'), undefined);
  for (const name of ['old', 'new', 'older']) {
    await server.object('create', 'ingressclasses', { body: { metadata: { name, annotations }, spec } });
    server.clock.advance(name === 'old' ? 1000 : 0);
  }
  assert.equal(await classOf('a'), 'new');
  assert.equal(await classOf('b', { annotations: { 'kubernetes.io/ingress.class': 'x' } }), undefined);
  const result = await server.handle('create', 'ingresses', {
    body: { ...ingress('c'), metadata: { name: 'c', annotations: { 'kubernetes.io/ingress.class': 'x' } } },
  });
  assert.deepEqual(result.type === 'object' && result.warnings, [
    `annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead`,
  ]);
});

test('who may view sees ingresses, who may edit makes them', () => {
  const allowing = (name: string, verb: string, plural: string, subresource?: string): boolean =>
    (defaultClusterRoles().find(({ metadata }) => metadata.name === name)?.rules ?? []).some((rule) =>
      ruleAllows(rule, {
        resource: { group: GROUP, plural },
        verb,
        subresource,
        namespace: 'default',
        name: undefined,
      }),
    );
  const [view, edit] = ['system:aggregate-to-view', 'system:aggregate-to-edit'];
  assert.ok(allowing(view, 'watch', 'ingresses') && allowing(view, 'get', 'ingresses', 'status'));
  assert.ok(!allowing(view, 'create', 'ingresses') && allowing(edit, 'create', 'ingresses'));
  assert.ok(!allowing(edit, 'update', 'ingresses', 'status') && !allowing(edit, 'list', 'ingressclasses'));
});
