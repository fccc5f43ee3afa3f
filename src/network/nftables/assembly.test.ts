// What an assembly says has changed makes of the table that was written the one that is wanted, whatever parts come, change
// and go: compared with all of them merged anew, on a small kernel.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Assembly } from './assembly.ts';
import { merge, type Ruleset } from './ruleset.ts';
import { difference, rewriting } from './script.ts';
import { TestKernel } from './test-kernel.ts';
import { rulesets } from './test-rulesets.ts';

const NAME = { table: 't', owner: '' };
const NOTHING = { baseChains: [], chains: [], sets: [] };

/** All that names can lead to, so that parts may lose what others name. */
const BASE: Ruleset = {
  chains: new Map(['a', 'b', 'c', 'd'].map((name) => [name, { rules: [] }])),
  sets: new Map([
    ['s', { kind: 'set', type: 'mark' }],
    ['m', { kind: 'map', type: 'mark : verdict' }],
    ['n', { kind: 'map', type: 'mark : verdict' }],
    ['dynamic', { kind: 'set', type: 'mark', dynamicSeconds: 60 }],
  ]),
  elements: new Map(),
};

function kernelWith(rules: Ruleset): TestKernel {
  const kernel = new TestKernel();
  kernel.run(rewriting(NAME, NOTHING, rules).commands);
  return kernel;
}

const steps = fc.array(
  fc.record({
    part: fc.constantFrom('one', 'two', 'three'),
    rules: fc.option(rulesets, { nil: undefined }),
    isWritten: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

test('what has changed of many parts makes the one table of the other', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const assembly = new Assembly();
      const parts = new Map<string, Ruleset>();
      const set = (part: string, rules: Ruleset | undefined): void => {
        assembly.set(part, rules);
        if (rules) parts.set(part, rules);
        else parts.delete(part);
      };
      set('base', BASE);
      assembly.take();
      const kernel = kernelWith(merge(parts.values()));
      for (const { part, rules, isWritten } of [...all, { part: 'one', rules: undefined, isWritten: true }]) {
        set(part, rules);
        assert.deepEqual(kernelWith(assembly.whole()).text(), kernelWith(merge(parts.values())).text());
        if (!isWritten) continue;
        const { from, to } = assembly.take();
        const script = difference('t', from, to);
        assert.ok(script);
        kernel.run([...script.commands, ...script.stale.map((name) => `delete chain inet t ${name}`)]);
        assert.deepEqual(kernel.text(), kernelWith(merge(parts.values())).text());
      }
    }),
  );
});

test('a change of one part is told alone, and once', () => {
  const part = (name: string, rule: string, key: string): Ruleset => ({
    chains: new Map([[name, { rules: [rule] }]]),
    sets: new Map(),
    elements: new Map([['m', new Map([[key, `goto ${name}`]])]]),
  });
  const assembly = new Assembly();
  assembly.set('base', BASE);
  for (let count = 0; count < 100; count++) assembly.set(`${count}`, part(`x${count}`, 'accept', `${count}`));
  assembly.take();
  assembly.set('7', part('x7', 'drop', '7'));
  const { from, to } = assembly.take();
  assert.deepEqual([...to.chains], [['x7', { rules: ['drop'] }]]);
  assert.deepEqual(difference('t', from, to)?.commands, ['flush chain inet t x7', 'add rule inet t x7 drop']);
  const again = assembly.take();
  assert.deepEqual(difference('t', again.from, again.to)?.commands, []);
});
