import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { present } from '../base/present.ts';
import type { NodeSelectorRequirement } from './generated/types.ts';
import { matchesNodeSelector } from './node-selector.ts';
import { untolerated } from './taints.ts';

const node = { name: 'one', labels: { zone: 'x', cores: '8' } };
const matches = (...matchExpressions: NodeSelectorRequirement[]): boolean =>
  matchesNodeSelector({ nodeSelectorTerms: [{ matchExpressions }] }, node);

describe('matchesNodeSelector', () => {
  it('knows every operator', () => {
    const cases: [string, string, string[] | undefined, boolean][] = [
      ['zone', 'In', ['x', 'y'], true],
      ['zone', 'In', ['y'], false],
      ['none', 'In', ['x'], false],
      ['zone', 'NotIn', ['y'], true],
      ['none', 'NotIn', ['x'], true],
      ['zone', 'Exists', undefined, true],
      ['none', 'DoesNotExist', undefined, true],
      ['cores', 'Gt', ['4'], true],
      ['cores', 'Gt', ['8'], false],
      ['cores', 'Lt', ['16'], true],
      ['zone', 'Gt', ['4'], false],
      ['zone', 'Nonsense', ['x'], false],
    ];
    for (const [key, operator, values, expected] of cases) {
      assert.equal(matches(present({ key, operator, values })), expected, `${key} ${operator} ${values}`);
    }
  });

  it('takes any term, all of a term, and nothing of an empty one', () => {
    const zone = (value: string): NodeSelectorRequirement => ({
      key: 'zone',
      operator: 'In',
      values: [value],
    });
    assert.equal(matches(zone('x'), zone('y')), false);
    const terms = [{ matchExpressions: [zone('y')] }, { matchExpressions: [zone('x')] }];
    assert.equal(matchesNodeSelector({ nodeSelectorTerms: terms }, node), true);
    assert.equal(matches(), false);
    assert.equal(matchesNodeSelector({ nodeSelectorTerms: [] }, node), false);
    const byName = [{ key: 'metadata.name', operator: 'In', values: ['one'] }];
    assert.equal(matchesNodeSelector({ nodeSelectorTerms: [{ matchFields: byName }] }, node), true);
  });
});

describe('untolerated', () => {
  const taint = { key: 'dedicated', value: 'db', effect: 'NoSchedule' };
  it('is undefined when a toleration answers the taint', () => {
    assert.equal(untolerated([taint], [{ operator: 'Exists' }]), undefined);
    assert.equal(untolerated([taint], [{ key: 'dedicated', value: 'db' }]), undefined);
    assert.equal(
      untolerated([taint], [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }]),
      undefined,
    );
    assert.equal(untolerated([taint], [{ key: 'dedicated', value: 'web' }]), taint);
    assert.equal(
      untolerated([taint], [{ key: 'dedicated', operator: 'Exists', effect: 'NoExecute' }]),
      taint,
    );
    assert.equal(untolerated([taint], []), taint);
  });
});
