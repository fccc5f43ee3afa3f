// The rules of policies: golden scenarios (scenarios.yaml). What they do to packets is policy-flows.test.ts's business.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import type { NetworkPolicySpec } from '../../api/generated/types.ts';
import { IPV4, IPV6 } from '../proxy/family.ts';
import { PolicyBook } from './book.ts';
import { frame } from './frame.ts';
import { factsOf } from './pod-facts.ts';
import { readPolicy } from './policy.ts';
import { podOf, policyOf, type TestPod } from './test-objects.ts';

interface Scenario {
  name: string;
  dual?: boolean;
  namespaces?: Record<string, Record<string, string>>;
  pods?: TestPod[];
  policies: Array<{ name: string; namespace?: string; spec: NetworkPolicySpec }>;
  expect: string;
}

function rulesOf({ dual, namespaces = {}, pods = [], policies }: Scenario): string {
  const families = dual ? [IPV4, IPV6] : [IPV4];
  const options = { bridge: 'stead0', podRanges: [], families };
  const book = new PolicyBook(options);
  for (const [name, labels] of Object.entries(namespaces)) book.setNamespace(name, labels);
  for (const pod of pods) {
    const stored = podOf(pod);
    book.setPods(new Map([[stored.metadata.uid, factsOf(stored, pod.addresses, families)]]));
  }
  for (const { name, namespace, spec } of policies)
    book.setPolicy(readPolicy(policyOf(name, spec, namespace)));
  const { chains, elements } = book.ruleset();
  const known = frame(options).chains;
  const lines = [
    ...[...chains].flatMap(([name, { rules }]) =>
      known.has(name) ? [] : rules.map((rule) => `${name} | ${rule}`),
    ),
    ...[...elements].flatMap(([set, some]) =>
      // That each pod may speak with itself is the same in all.
      set.startsWith('pod-self')
        ? []
        : [...some].map(([key, value]) => `${set} | ${value === undefined ? key : `${key} : ${value}`}`),
    ),
  ];
  // Digests by the order in which they come.
  const digests: string[] = [];
  return lines
    .map((line) => `${line}\n`)
    .join('')
    .replace(/[0-9a-f]{24}/g, (digest) => {
      if (!digests.includes(digest)) digests.push(digest);
      return `#${digests.indexOf(digest) + 1}`;
    });
}

describe('the rules of policies', () => {
  const file = new URL('scenarios.yaml', import.meta.url);
  const scenarios: Scenario[] = parse(readFileSync(file, 'utf8'));
  for (const scenario of scenarios) {
    it(scenario.name, () => assert.equal(rulesOf(scenario), scenario.expect));
  }

  it('hang on forwarding alone, after those of Services, one chain for each direction', () => {
    const { chains, sets } = frame({ bridge: 'stead0', podRanges: ['10.244.0.0/20'], families: [IPV4] });
    assert.deepEqual(
      [...chains].map(([name, { hook, rules }]) => [name, hook, rules]),
      [
        [
          'policy-ingress',
          { type: 'filter', hook: 'forward', priority: '2' },
          [
            'oifname != "stead0" accept',
            'iifname != "stead0" ip saddr 10.244.0.0/20 drop',
            'ct state established,related accept',
            'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept',
            'ip saddr . ip daddr @pod-self accept',
            'ip daddr vmap @pod-ingress',
            'drop',
          ],
        ],
        [
          'policy-egress',
          { type: 'filter', hook: 'forward', priority: '1' },
          [
            'iifname != "stead0" accept',
            'ct state established,related accept',
            'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept',
            'ip saddr . ip daddr @pod-self accept',
            'ip saddr vmap @pod-egress',
            'drop',
          ],
        ],
      ],
    );
    assert.deepEqual([...sets.keys()], ['pod-self', 'pod-ingress', 'pod-egress']);
  });

  it('have names that the kernel takes, and no other’s, however long those of policies are', () => {
    const book = new PolicyBook({ bridge: 'stead0', podRanges: [], families: [IPV4] });
    const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.`;
    for (const end of ['x', 'y']) {
      book.setPolicy(readPolicy(policyOf(`${long}${end}`, { podSelector: {} }, 'n'.repeat(63))));
    }
    const names = [...book.ruleset().chains.keys()].filter((name) => name.startsWith('ingress-policy'));
    assert.equal(names.length, 2);
    for (const name of names) assert.ok(name.length < 256, name);
  });
});
