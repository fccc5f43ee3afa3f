import assert from 'node:assert/strict';
import test from 'node:test';
import type { StatefulSet } from './generated/types.ts';
import { optionsOf } from './stateful-set-options.ts';

function set(annotations?: Record<string, string>): StatefulSet {
  const metadata = annotations ? { name: 'web', annotations } : { name: 'web' };
  return { metadata, spec: { selector: {}, template: { spec: { containers: [] } } } };
}

test('a set without annotations behaves as upstream, but for stuck rollouts', () => {
  for (const plain of [set(), set({ 'example.com/a': 'b' })]) {
    assert.deepEqual(optionsOf(plain), {
      recoversRollouts: true,
      reserved: [],
      updateLast: undefined,
      updatesInPlace: false,
      paused: false,
    });
  }
});

test('reserved ordinals are put in order and joined', () => {
  const reserved = (text: string) => optionsOf(set({ 'stead.dev/reserve-ordinals': text })).reserved;
  assert.deepEqual(reserved('3-5, 1,4-7,2'), [{ first: 1, last: 7 }]);
  assert.deepEqual(reserved('9,0'), [
    { first: 0, last: 0 },
    { first: 9, last: 9 },
  ]);
});

test('what admission would refuse counts as not given', () => {
  const options = optionsOf(
    set({
      'stead.dev/reserve-ordinals': 'x',
      'stead.dev/update-last': '(',
      'stead.dev/paused': 'yes',
      'stead.dev/pod-update': '',
      'stead.dev/rollout-recovery': 'no',
    }),
  );
  assert.deepEqual(options, optionsOf(set()));
});
