// Rulesets by chance, for properties of what becomes of them.
import fc from 'fast-check';
import type { Chain, NftSet, Ruleset } from './ruleset.ts';

const CHAINS = ['a', 'b', 'c', 'd', 'in', 'out'];
const SETS = ['s', 'm', 'n', 'dynamic'];

/** Rulesets in which all that is named is there. */
export const rulesets: fc.Arbitrary<Ruleset> = fc
  .record({
    chains: fc.subarray(CHAINS),
    sets: fc.subarray(SETS),
    picks: fc.array(fc.nat(1_000), { minLength: 40, maxLength: 40 }),
  })
  .map(({ chains: names, sets: setNames, picks }) => {
    let at = 0;
    const pick = (most: number): number => (picks[at++ % picks.length] ?? 0) % most;
    const chains = new Map<string, Chain>();
    const plain = names.filter((name) => name !== 'in' && name !== 'out');
    for (const name of names) {
      const rules = Array.from({ length: pick(3) }, () => {
        const target = plain[pick(plain.length + 1)];
        const set = setNames[pick(setNames.length + 1)];
        return `ip saddr ${set ? `@${set}` : '10.0.0.1'} ${target ? `goto ${target}` : 'accept'}`;
      });
      const isBase = name === 'in' || name === 'out';
      chains.set(name, {
        rules,
        ...(isBase && { hook: { type: 'filter', hook: name === 'in' ? 'input' : 'output', priority: '0' } }),
      });
    }
    const sets = new Map<string, NftSet>();
    const elements = new Map<string, Map<string, string | undefined>>();
    for (const name of setNames) {
      const isMap = name === 'm' || name === 'n';
      sets.set(name, {
        kind: isMap ? 'map' : 'set',
        type: isMap ? 'mark : verdict' : 'mark',
        ...(name === 'dynamic' && { dynamicSeconds: 60 }),
      });
      if (name === 'dynamic') continue;
      const target = (): string => {
        const chain = plain[pick(plain.length + 1)];
        return chain ? `goto ${chain}` : 'drop';
      };
      const keys = Array.from({ length: pick(5) }, () => `${pick(6)}`);
      elements.set(name, new Map(keys.map((key) => [key, isMap ? target() : undefined])));
    }
    return { chains, sets, elements };
  });
