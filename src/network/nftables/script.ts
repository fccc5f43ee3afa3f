// What is to be said to nft so that a table becomes another: only what differs, or all of it. Pure. Every script is one
// transaction: the kernel takes all of it or nothing, and no packet sees a half.
import type { Chain, Elements, NftSet, Ruleset } from './ruleset.ts';

/** Which table, and whose it is. */
export interface TableName {
  /** Of family `inet`. */
  table: string;
  /** Noted in the table's comment, for people. */
  owner: string;
}

/** What a table in the kernel has, by name; what is in it is not known. */
export interface Existing {
  baseChains: readonly string[];
  chains: readonly string[];
  sets: readonly { name: string; isDynamic: boolean }[];
}

export interface Script {
  commands: string[];
  /**
   * Chains that are empty now and that nobody wants. They are taken away a while later: kernels before 6.2 go on counting a
   * map's element as their user for a moment after it was deleted.
   */
  stale: string[];
}

/** How many elements one command may bring: nft reads a long list more slowly than two short ones. */
const MOST_ELEMENTS = 1_000;

/**
 * The commands that make `to` of `from`; none if they are the same. Undefined if a set is declared otherwise, or a chain
 * hangs on another hook: rules that name it would have to go first, so that all of it is to be written anew.
 */
export function difference(table: string, from: Ruleset, to: Ruleset): Script | undefined {
  const write = new Writer(table);
  for (const [name, set] of to.sets) {
    const old = from.sets.get(name);
    if (old && !sameSet(old, set)) return undefined;
  }
  for (const [name, set] of to.sets) if (!from.sets.has(name)) write.addSet(name, set);
  for (const [name, chain] of to.chains) if (!from.chains.has(name)) write.addChain(name, chain);
  const stale: string[] = [];
  for (const [name, chain] of from.chains) {
    const wanted = to.chains.get(name);
    if (wanted && !sameHook(wanted, chain)) return undefined;
    if (wanted) continue;
    write.say(`flush chain ${write.place(name)}`);
    if (chain.hook) write.say(`delete chain ${write.place(name)}`);
    else stale.push(name);
  }
  const added: Array<[string, Elements]> = [];
  for (const [name, set] of to.sets) {
    const before = from.elements.get(name) ?? NONE;
    const after = to.elements.get(name) ?? NONE;
    if (before === after || set.dynamicSeconds !== undefined) continue;
    write.deleteElements(name, missing(before, after));
    added.push([name, missing(after, before)]);
  }
  for (const [name, chain] of to.chains) {
    const old = from.chains.get(name);
    if (old && sameRules(old.rules, chain.rules)) continue;
    if (old) write.say(`flush chain ${write.place(name)}`);
    write.addRules(name, chain);
  }
  for (const [name, elements] of added) write.addElements(name, elements);
  for (const [name] of from.sets) if (!to.sets.has(name)) write.say(`delete set ${write.place(name)}`);
  return { commands: write.commands, stale };
}

/**
 * The commands that make `to` of whatever the table is: rules that were in force are until these are, and what packets have
 * filled dynamic sets with is kept.
 */
export function rewriting({ table, owner }: TableName, existing: Existing, to: Ruleset): Script {
  const write = new Writer(table);
  write.say(`add table inet ${table} { comment "${commentOf(owner)}" ; }`);
  for (const name of [...existing.baseChains, ...existing.chains])
    write.say(`flush chain ${write.place(name)}`);
  for (const name of existing.baseChains) write.say(`delete chain ${write.place(name)}`);
  const kept = (name: string, isDynamic: boolean): boolean =>
    isDynamic && to.sets.get(name)?.dynamicSeconds !== undefined;
  for (const { name, isDynamic } of existing.sets) {
    if (!kept(name, isDynamic)) write.say(`delete set ${write.place(name)}`);
  }
  for (const [name, set] of to.sets) write.addSet(name, set);
  for (const [name, chain] of to.chains) write.addChain(name, chain);
  for (const [name, chain] of to.chains) write.addRules(name, chain);
  for (const [name] of to.sets) write.addElements(name, to.elements.get(name) ?? NONE);
  return { commands: write.commands, stale: existing.chains.filter((name) => !to.chains.has(name)) };
}

/** The commands for a table that holds what nothing can be made of: it goes, and comes anew. */
export function replacing(name: TableName, to: Ruleset): Script {
  const { commands } = rewriting(name, { baseChains: [], chains: [], sets: [] }, to);
  return {
    commands: [`add table inet ${name.table}`, `delete table inet ${name.table}`, ...commands],
    stale: [],
  };
}

/** nft knows no quotes within quotes, and the kernel no more than 128 bytes. */
const commentOf = (owner: string): string => owner.replaceAll(/[^ -~]|"/g, '?').slice(0, 120);

const NONE: Elements = new Map();

/** What of `these` is not in `those`, or has another value there. */
function missing(these: Elements, those: Elements): Elements {
  const found = new Map<string, string | undefined>();
  for (const [key, value] of these) {
    if (!those.has(key) || those.get(key) !== value) found.set(key, value);
  }
  return found;
}

const sameSet = (a: NftSet, b: NftSet): boolean =>
  a === b || (a.kind === b.kind && a.type === b.type && a.dynamicSeconds === b.dynamicSeconds);

const sameHook = ({ hook: a }: Chain, { hook: b }: Chain): boolean =>
  a?.type === b?.type && a?.hook === b?.hook && a?.priority === b?.priority;

const sameRules = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((rule, index) => rule === b[index]));

class Writer {
  readonly commands: string[] = [];
  readonly #table: string;

  constructor(table: string) {
    this.#table = table;
  }

  say(command: string): void {
    this.commands.push(command);
  }

  place(name: string): string {
    return `inet ${this.#table} ${name}`;
  }

  addSet(name: string, { kind, type, dynamicSeconds }: NftSet): void {
    const dynamic =
      dynamicSeconds === undefined ? '' : ` flags dynamic,timeout ; timeout ${dynamicSeconds}s ;`;
    this.say(`add ${kind} ${this.place(name)} { type ${type} ;${dynamic} }`);
  }

  addChain(name: string, { hook }: Chain): void {
    const how = hook ? ` { type ${hook.type} hook ${hook.hook} priority ${hook.priority} ; }` : '';
    this.say(`add chain ${this.place(name)}${how}`);
  }

  addRules(name: string, { rules }: Chain): void {
    for (const rule of rules) this.say(`add rule ${this.place(name)} ${rule}`);
  }

  addElements(name: string, elements: Elements): void {
    const texts = [...elements].map(([key, value]) => (value === undefined ? key : `${key} : ${value}`));
    this.#inPortions('add', name, texts);
  }

  deleteElements(name: string, elements: Elements): void {
    this.#inPortions('delete', name, [...elements.keys()]);
  }

  #inPortions(verb: 'add' | 'delete', name: string, texts: readonly string[]): void {
    for (let at = 0; at < texts.length; at += MOST_ELEMENTS) {
      const portion = texts.slice(at, at + MOST_ELEMENTS).join(', ');
      this.say(`${verb} element ${this.place(name)} { ${portion} }`);
    }
  }
}
