// Every controller is somebody, and everybody who acts has rights of their own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allResources } from '../../api/resources/all.ts';
import { MASTERS } from '../../apiserver/authz/authorize.ts';
import { defaultClusterRoleBindings } from '../../apiserver/authz/default-bindings.ts';
import { defaultClusterRoles } from '../../apiserver/authz/default-roles.ts';
import { controllerOptions } from '../../testing/controller-options.ts';
import { fixedKinds } from '../../testing/fixed-kinds.ts';
import { controllers } from './controllers.ts';
import { CONTROLLER_MANAGER, controllerUser, DNS, nodeUser, SCHEDULER } from './identities.ts';

const OPTIONS = controllerOptions(fixedKinds(allResources));

test('each controller acts as a user of its own, who has been given a role and is no administrator', () => {
  const names = Object.keys(controllers(OPTIONS));
  const users = [...names.map(controllerUser), CONTROLLER_MANAGER, DNS];
  assert.equal(new Set(users.map(({ name }) => name)).size, users.length);
  const roles = new Set(defaultClusterRoles().map(({ metadata }) => metadata.name));
  const bindings = defaultClusterRoleBindings();
  for (const { name, groups } of users) {
    assert.ok(!groups.includes(MASTERS), name);
    const account = name.split(':').at(-1);
    const own = bindings.filter(({ subjects = [] }) =>
      subjects.some((subject) =>
        subject.kind === 'ServiceAccount' ? subject.name === account : subject.name === name,
      ),
    );
    assert.ok(own.length > 0, `${name} has no role`);
    for (const { roleRef } of own) assert.ok(roles.has(roleRef.name), roleRef.name);
  }
  assert.ok(users.includes(SCHEDULER));
  assert.throws(() => controllerUser('dreamer'), /the dreamer controller has no account/);
});

test('the rights of controllers are nobody else’s: each account that has some is one that acts', () => {
  const acting = new Set(Object.keys(controllers(OPTIONS)).map((name) => controllerUser(name).name));
  const given = defaultClusterRoleBindings()
    .filter(({ metadata }) => metadata.name?.startsWith('system:controller:'))
    .map(({ metadata, subjects = [] }) => [metadata.name, subjects.map(({ name }) => name)] as const);
  for (const [binding, accounts] of given) {
    const isUsed = accounts.some((name) => acting.has(`system:serviceaccount:kube-system:${name}`));
    assert.ok(isUsed, `${binding} is bound to nobody who acts`);
  }
});

test('a node is known by its name', () => {
  assert.deepEqual(nodeUser('n1'), {
    name: 'system:node:n1',
    groups: ['system:nodes', 'system:authenticated'],
  });
});
