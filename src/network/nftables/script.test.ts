// Scripts make of one table another, whatever the two are: tried on a small kernel that is as strict as the real one.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Chain, merge, type Ruleset } from './ruleset.ts';
import { difference, type Existing, replacing, rewriting } from './script.ts';
import { TestKernel } from './test-kernel.ts';
import { rulesets } from './test-rulesets.ts';

const NAME = { table: 't', owner: 'stead "/run/x"' };
const NOTHING: Existing = { baseChains: [], chains: [], sets: [] };
function kernelWith(rules: Ruleset): TestKernel {
  const kernel = new TestKernel();
  kernel.run(rewriting(NAME, NOTHING, rules).commands);
  return kernel;
}

/** What nft would list of it. */
function existingOf({ chains, sets }: TestKernel): Existing {
  const names = [...chains.keys()];
  return {
    baseChains: names.filter((name) => chains.get(name)?.hook),
    chains: names.filter((name) => !chains.get(name)?.hook),
    sets: [...sets].map(([name, { declaration }]) => ({ name, isDynamic: declaration.includes('dynamic') })),
  };
}

/** What is there but chains that are to go. */
function textWithout(kernel: TestKernel, stale: readonly string[]): string[] {
  kernel.run(stale.map((name) => `delete chain inet t ${name}`));
  return kernel.text();
}

describe('the script from one table to another', () => {
  it('makes the other, and leaves stale chains empty', () => {
    fc.assert(
      fc.property(fc.array(rulesets, { minLength: 2, maxLength: 5 }), (all) => {
        const [first, ...others] = all;
        assert.ok(first);
        const kernel = kernelWith(first);
        let from = first;
        for (const to of others) {
          const script = difference('t', from, to);
          assert.ok(script);
          kernel.run(script.commands);
          assert.deepEqual(textWithout(kernel, script.stale), kernelWith(to).text());
          from = to;
        }
      }),
    );
  });

  it('is empty if nothing differs', () => {
    fc.assert(
      fc.property(rulesets, (rules) => {
        assert.deepEqual(difference('t', rules, merge([rules])), { commands: [], stale: [] });
      }),
    );
  });

  it('touches only what differs', () => {
    const chain = (port: number): Chain => ({ rules: [`dnat to 10.0.0.1:${port}`] });
    const rules = (port: number, key: string): Ruleset => ({
      chains: new Map([
        ['one', chain(1)],
        ['two', chain(port)],
      ]),
      sets: new Map([['m', { kind: 'map', type: 'mark : verdict' }]]),
      elements: new Map([
        [
          'm',
          new Map([
            ['1', 'goto one'],
            [key, 'goto two'],
          ]),
        ],
      ]),
    });
    assert.deepEqual(difference('t', rules(2, '2'), rules(3, '3'))?.commands, [
      'delete element inet t m { 2 }',
      'flush chain inet t two',
      'add rule inet t two dnat to 10.0.0.1:3',
      'add element inet t m { 3 : goto two }',
    ]);
  });

  it('is not to be had if a set is declared otherwise: all of it is written anew', () => {
    const rules = (type: string): Ruleset => ({
      chains: new Map(),
      sets: new Map([['s', { kind: 'set', type }]]),
      elements: new Map(),
    });
    assert.equal(difference('t', rules('mark'), rules('ipv4_addr')), undefined);
    const kernel = kernelWith(rules('mark'));
    kernel.run(rewriting(NAME, existingOf(kernel), rules('ipv4_addr')).commands);
    assert.deepEqual(kernel.text(), kernelWith(rules('ipv4_addr')).text());
  });
});

describe('the script for a table of which only the names are known', () => {
  it('makes it what is wanted, and keeps what packets have filled', () => {
    fc.assert(
      fc.property(rulesets, rulesets, (found, to) => {
        const kernel = kernelWith(found);
        kernel.sets.get('dynamic')?.elements.set('10.0.0.9', '');
        const keeps = found.sets.has('dynamic') && to.sets.has('dynamic');
        const { commands, stale } = rewriting(NAME, existingOf(kernel), to);
        kernel.run(commands);
        assert.equal(kernel.sets.get('dynamic')?.elements.size ?? 0, keeps ? 1 : 0);
        kernel.sets.get('dynamic')?.elements.clear();
        assert.deepEqual(textWithout(kernel, stale), kernelWith(to).text());
      }),
    );
  });

  it('or replaces it', () => {
    fc.assert(
      fc.property(rulesets, rulesets, (found, to) => {
        const kernel = kernelWith(found);
        kernel.run(replacing(NAME, to).commands);
        assert.deepEqual(kernel.text(), kernelWith(to).text());
      }),
    );
  });
});

it('of two parts that say something different of one element, the first is right', () => {
  const part = (value: string): Ruleset => ({
    chains: new Map(),
    sets: new Map(),
    elements: new Map([['m', new Map([['1', value]])]]),
  });
  const merged = merge([part('goto a'), part('goto b')]);
  assert.deepEqual([...(merged.elements.get('m') ?? [])], [['1', 'goto a']]);
});
