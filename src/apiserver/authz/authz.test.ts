import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PolicyRule } from '../../api/generated/types.ts';
import { describeRule, missingRules } from './covers.ts';
import { ruleAllows } from './rules.ts';

const about = (
  plural: string,
  verb: string,
  parts: { subresource?: string | undefined; name?: string | undefined; group?: string } = {},
) => ({
  resource: { group: parts.group ?? '', plural },
  verb,
  subresource: parts.subresource,
  namespace: 'default',
  name: parts.name,
});

test('a rule allows by verb, group, resource, subresource, name and URL', () => {
  const rule = (parts: Partial<PolicyRule>): PolicyRule => ({
    verbs: ['get'],
    apiGroups: [''],
    resources: ['pods'],
    ...parts,
  });
  assert.ok(ruleAllows(rule({}), about('pods', 'get')));
  assert.ok(!ruleAllows(rule({}), about('pods', 'list')));
  assert.ok(!ruleAllows(rule({}), about('pods', 'get', { group: 'apps' })));
  assert.ok(!ruleAllows(rule({}), about('pods', 'get', { subresource: 'log' })));
  assert.ok(ruleAllows(rule({ resources: ['pods/log'] }), about('pods', 'get', { subresource: 'log' })));
  assert.ok(!ruleAllows(rule({ resources: ['pods/log'] }), about('pods', 'get')));
  assert.ok(ruleAllows(rule({ resources: ['*/scale'] }), about('pods', 'get', { subresource: 'scale' })));
  assert.ok(ruleAllows(rule({ resources: ['*'] }), about('pods', 'get', { subresource: 'log' })));
  assert.ok(ruleAllows(rule({ resourceNames: ['a'] }), about('pods', 'get', { name: 'a' })));
  assert.ok(!ruleAllows(rule({ resourceNames: ['a'] }), about('pods', 'get')));
  const urls: PolicyRule = { verbs: ['get'], nonResourceURLs: ['/healthz/*', '/version'] };
  assert.ok(ruleAllows(urls, { path: '/healthz/etcd', verb: 'get' }));
  assert.ok(!ruleAllows(urls, { path: '/versions', verb: 'get' }));
  assert.ok(!ruleAllows(urls, about('pods', 'get')));
});

test('what is missing is named compactly', () => {
  const owned: PolicyRule[] = [{ verbs: ['get'], apiGroups: [''], resources: ['pods', '*/log'] }];
  const wanted: PolicyRule[] = [
    { verbs: ['get', 'list', 'watch'], apiGroups: [''], resources: ['pods', 'pods/log'] },
    { verbs: ['get'], nonResourceURLs: ['/x'] },
  ];
  assert.deepEqual(missingRules(owned, wanted).map(describeRule).sort(), [
    '{APIGroups:[""], Resources:["pods"], Verbs:["list" "watch"]}',
    '{APIGroups:[""], Resources:["pods/log"], Verbs:["list" "watch"]}',
    '{NonResourceURLs:["/x"], Verbs:["get"]}',
  ]);
});

const some = (values: readonly string[]) => fc.subarray([...values], { minLength: 1 });
const anyRule: fc.Arbitrary<PolicyRule> = fc.record({
  verbs: some(['get', 'list', '*']),
  apiGroups: some(['', 'apps', '*']),
  resources: some(['pods', 'pods/log', '*/log', '*']),
  resourceNames: fc.subarray(['a', 'b']),
});

test('rules that cover others allow whatever those allow', () => {
  const questions = fc.record({
    plural: fc.constantFrom('pods', 'secrets'),
    verb: fc.constantFrom('get', 'list', 'delete'),
    group: fc.constantFrom('', 'apps', 'batch'),
    subresource: fc.constantFrom(undefined, 'log'),
    name: fc.constantFrom(undefined, 'a', 'b'),
  });
  fc.assert(
    fc.property(
      fc.array(anyRule),
      fc.array(anyRule),
      questions,
      (owned, wanted, { plural, verb, ...parts }) => {
        const question = about(plural, verb, parts);
        if (missingRules(owned, wanted).length > 0 || !wanted.some((rule) => ruleAllows(rule, question)))
          return;
        assert.ok(owned.some((rule) => ruleAllows(rule, question)));
      },
    ),
  );
});
