// One table assembled of many parts, and what of it has changed since somebody last asked: a change of one part among
// thousands costs what is in that part, and nothing for the others. What `merge` gives of the same parts is what it holds.
import type { Chain, NftSet, Ruleset } from './ruleset.ts';

/** What has changed, as it was and as it is: two rulesets of which everything else is left out, because it is the same. */
export interface Change {
  from: Ruleset;
  to: Ruleset;
}

export class Assembly {
  readonly #parts = new Map<string, { order: number; rules: Ruleset }>();
  readonly #chains = new Names<Chain>();
  readonly #sets = new Names<NftSet>();
  readonly #elements = new Map<string, Names<string | undefined>>();
  #nextOrder = 0;

  /**
   * Says what a part wants from now on; undefined: nothing. Where two want something different of one name, the one that
   * came first is right.
   */
  set(part: string, rules: Ruleset | undefined): void {
    const before = this.#parts.get(part);
    const order = before?.order ?? this.#nextOrder++;
    if (rules) this.#parts.set(part, { order, rules });
    else this.#parts.delete(part);
    this.#chains.change(order, before?.rules.chains, rules?.chains);
    this.#sets.change(order, before?.rules.sets, rules?.sets);
    const names = new Set([...(before?.rules.elements.keys() ?? []), ...(rules?.elements.keys() ?? [])]);
    for (const name of names) {
      const elements = this.#elements.get(name) ?? new Names<string | undefined>();
      this.#elements.set(name, elements);
      elements.change(order, before?.rules.elements.get(name), rules?.elements.get(name));
    }
  }

  /** All of it, as it is now: not a copy. */
  whole(): Ruleset {
    return {
      chains: this.#chains.values,
      sets: this.#sets.values,
      elements: new Map([...this.#elements].map(([name, { values }]) => [name, values])),
    };
  }

  /** What has changed since it was last called. */
  take(): Change {
    const chains = this.#chains.take();
    const sets = this.#sets.take();
    const from = new Map<string, ReadonlyMap<string, string | undefined>>();
    const to = new Map<string, ReadonlyMap<string, string | undefined>>();
    for (const [name, elements] of this.#elements) {
      const isNew = sets.to.has(name) && !sets.from.has(name);
      const changed = elements.take();
      if (isNew) to.set(name, elements.values);
      else if (changed.from.size > 0 || changed.to.size > 0) {
        from.set(name, changed.from);
        to.set(name, changed.to);
        const set = this.#sets.values.get(name);
        // Elements are those of a set that is named.
        if (set && !sets.to.has(name)) for (const side of [sets.from, sets.to]) side.set(name, set);
      }
      if (elements.values.size === 0) this.#elements.delete(name);
    }
    return {
      from: { chains: chains.from, sets: sets.from, elements: from },
      to: { chains: chains.to, sets: sets.to, elements: to },
    };
  }
}

interface Claim<T> {
  order: number;
  value: T;
}

/** What the names of one kind stand for: several parts may name one, and the first of them is right. */
class Names<T> {
  readonly values = new Map<string, T>();
  /** In order of the parts. */
  readonly #claims = new Map<string, readonly Claim<T>[]>();
  /** What the names that have changed stood for when it was last asked. */
  readonly #before = new Map<string, Claim<T> | undefined>();

  /** One part names these, where before it named those. */
  change(
    order: number,
    before: ReadonlyMap<string, T> | undefined,
    after: ReadonlyMap<string, T> | undefined,
  ): void {
    if (before === after) return;
    for (const name of before?.keys() ?? []) if (!after?.has(name)) this.#claim(name, order, undefined);
    for (const [name, value] of after ?? []) {
      if (!before?.has(name) || before.get(name) !== value) this.#claim(name, order, { order, value });
    }
  }

  #claim(name: string, order: number, claim: Claim<T> | undefined): void {
    const others = (this.#claims.get(name) ?? []).filter((other) => other.order !== order);
    const claims = claim ? [...others, claim].sort((a, b) => a.order - b.order) : others;
    const [first] = claims;
    if (!this.#before.has(name)) this.#before.set(name, this.#claims.get(name)?.[0]);
    if (first) {
      this.#claims.set(name, claims);
      this.values.set(name, first.value);
    } else {
      this.#claims.delete(name);
      this.values.delete(name);
    }
  }

  /** The names that have changed since it was last called: what they stood for, and what they stand for. */
  take(): { from: Map<string, T>; to: Map<string, T> } {
    const from = new Map<string, T>();
    const to = new Map<string, T>();
    for (const [name, before] of this.#before) {
      if (before) from.set(name, before.value);
      const [now] = this.#claims.get(name) ?? [];
      if (now) to.set(name, now.value);
    }
    this.#before.clear();
    return { from, to };
  }
}
