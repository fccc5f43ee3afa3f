// One nftables table as a value: chains with their rules as text, sets and maps with their elements. Several parts of
// stead each bring a ruleset of their own, and all of them stand in one table. How it gets into the kernel is not here.

/** Where the kernel calls a chain. */
export interface Hook {
  type: 'filter' | 'nat';
  hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';
  /** As nft reads it: `dstnat`, `filter`, `-110`. */
  priority: string;
}

export interface Chain {
  /** Left out: other chains jump to it. */
  hook?: Hook;
  /** In order, as nft reads them after `add rule inet TABLE CHAIN`. */
  rules: readonly string[];
}

/** A named set or, when its elements have values, a map. */
export interface NftSet {
  kind: 'set' | 'map';
  /** `ipv4_addr . inet_proto . inet_service : verdict` */
  type: string;
  /** Filled by rules as packets come, each element for so long; what is in it outlives every rewriting of the table. */
  dynamicSeconds?: number;
}

/** Values by keys of a map's elements; in a set each value is undefined. */
export type Elements = ReadonlyMap<string, string | undefined>;

export interface Ruleset {
  /** By name. Names of all parts share one room, and names of sets theirs. */
  chains: ReadonlyMap<string, Chain>;
  sets: ReadonlyMap<string, NftSet>;
  /** By the name of their set. */
  elements: ReadonlyMap<string, Elements>;
}

/**
 * All of them as one. Where two say something different of one element, one chain or one set, the first is right: the
 * kernel would refuse all of it.
 */
export function merge(parts: Iterable<Ruleset>): Ruleset {
  const chains = new Map<string, Chain>();
  const sets = new Map<string, NftSet>();
  const elements = new Map<string, Elements>();
  /** Those of several parts; those of one alone are taken as they are, and there may be many. */
  const mixed = new Map<string, Map<string, string | undefined>>();
  for (const part of parts) {
    for (const [name, chain] of part.chains) if (!chains.has(name)) chains.set(name, chain);
    for (const [name, set] of part.sets) if (!sets.has(name)) sets.set(name, set);
    for (const [name, added] of part.elements) {
      const before = elements.get(name);
      if (!before) {
        elements.set(name, added);
        continue;
      }
      const all = mixed.get(name) ?? new Map(before);
      mixed.set(name, all);
      elements.set(name, all);
      for (const [key, value] of added) if (!all.has(key)) all.set(key, value);
    }
  }
  return { chains, sets, elements };
}
