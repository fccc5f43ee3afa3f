// Acting as others through the front door: what is asked of the authorizer, and whom the server then sees.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { SelfSubjectReview } from '../../api/generated/types.ts';
import { type Answered, type FrontDoor, openFrontDoor } from '../http/test-front-door.ts';

let door: FrontDoor;
const HELPER = { CN: 'helper', O: 'helpers' };

before(async () => {
  door = await openFrontDoor();
  const rules = [
    { verbs: ['impersonate'], apiGroups: [''], resources: ['users', 'groups', 'serviceaccounts'] },
    {
      verbs: ['impersonate'],
      apiGroups: ['authentication.k8s.io'],
      resources: ['userextras/example.com/team'],
      resourceNames: ['red', 'blue'],
    },
    {
      verbs: ['impersonate'],
      apiGroups: ['authentication.k8s.io'],
      resources: ['uids'],
      resourceNames: ['7'],
    },
    { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
  ];
  const { server } = door;
  await server.object('create', 'clusterroles', { body: { metadata: { name: 'r' }, rules } });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' };
  const subjects = ['helpers', 'system:authenticated', 'system:unauthenticated'].map((name) => ({
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'Group',
    name,
  }));
  await server.object('create', 'clusterrolebindings', {
    body: { metadata: { name: 'r' }, roleRef, subjects },
  });
});

const whoAmI = (headers: Record<string, string | string[]>): Promise<Answered> =>
  door.ask('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { as: HELPER, headers, body: {} });

test('names, groups, uid and extra attributes are those that were asked for', async () => {
  const answered = await whoAmI({
    'impersonate-user': 'eve',
    'impersonate-group': ['a, b', 'c'],
    'impersonate-uid': '7',
    'Impersonate-Extra-Example.com%2Fteam': ['red', 'blue'],
  });
  assert.equal(answered.code, 201, answered.text);
  assert.deepEqual(answered.json<SelfSubjectReview>().status?.userInfo, {
    username: 'eve',
    uid: '7',
    groups: ['a, b', 'c', 'system:authenticated'],
    extra: { 'example.com/team': ['red', 'blue'] },
  });
});

test('each attribute and the uid need a right of their own', async () => {
  const team = (value: string): Record<string, string> => ({
    'impersonate-user': 'eve',
    'impersonate-extra-example.com%2fteam': value,
  });
  assert.equal((await whoAmI(team('red'))).code, 201);
  assert.match(
    (await whoAmI(team('green'))).text,
    /userextras.authentication.k8s.io \\"green\\" is forbidden: User \\"helper\\" cannot impersonate resource \\"userextras\/example.com\/team\\" in API group \\"authentication.k8s.io\\" at the cluster scope/,
  );
  assert.equal((await whoAmI({ 'impersonate-user': 'eve', 'impersonate-extra-scopes': 'x' })).code, 403);
  assert.match(
    (await whoAmI({ 'impersonate-user': 'eve', 'impersonate-uid': '8' })).text,
    /uids.authentication.k8s.io \\"8\\" is forbidden/,
  );
});

test('a service account comes with its groups, nobody without a user', async () => {
  const account = await whoAmI({ 'impersonate-user': 'system:serviceaccount:default:a' });
  assert.deepEqual(account.json<SelfSubjectReview>().status?.userInfo?.groups, [
    'system:serviceaccounts',
    'system:serviceaccounts:default',
    'system:authenticated',
  ]);
  const anonymous = await whoAmI({ 'impersonate-user': 'system:anonymous' });
  assert.deepEqual(anonymous.json<SelfSubjectReview>().status?.userInfo?.groups, ['system:unauthenticated']);
  for (const header of ['impersonate-uid', 'impersonate-group', 'impersonate-extra-a']) {
    assert.equal((await whoAmI({ [header]: 'x' })).code, 400, header);
  }
});
