// A small kernel for tests: carries out the commands that this room writes, as strictly as the real one does, and all of a
// transaction or nothing.

interface KernelChain {
  hook: string | undefined;
  rules: string[];
}

interface KernelSet {
  declaration: string;
  elements: Map<string, string>;
}

export class TestKernel {
  chains = new Map<string, KernelChain>();
  sets = new Map<string, KernelSet>();

  /** @throws Error if the real one would refuse. */
  run(commands: readonly string[]): void {
    const [chains, sets] = [structuredClone(this.chains), structuredClone(this.sets)];
    try {
      for (const command of commands) this.#carryOut(command);
      this.#checkReferences();
    } catch (error) {
      [this.chains, this.sets] = [chains, sets];
      throw error;
    }
  }

  /** All that there is, in an order that does not depend on how it came. */
  text(): string[] {
    return [
      ...[...this.chains].flatMap(([name, { hook = '', rules }]) => [
        `chain ${name} ${hook}`,
        ...rules.map((rule, index) => `rule ${name} ${index} ${rule}`),
      ]),
      ...[...this.sets].flatMap(([name, { declaration, elements }]) => [
        `set ${name} ${declaration}`,
        ...[...elements].map(([key, value]) => `element ${name} ${key} ${value}`),
      ]),
    ].sort();
  }

  #carryOut(command: string): void {
    const [verb = '', what = '', , , name = ''] = command.split(' ');
    const rest = command.split(' ').slice(5).join(' ');
    const is = `${verb} ${what}`;
    if (is === 'add table') return;
    if (is === 'delete table') {
      this.chains.clear();
      this.sets.clear();
    } else if (is === 'add chain') {
      const chain = this.chains.get(name);
      if (!chain) this.chains.set(name, { hook: rest || undefined, rules: [] });
      else if ((chain.hook ?? '') !== rest) throw new Error(`another hook: ${command}`);
    } else if (is === 'flush chain') this.#chain(name).rules = [];
    else if (is === 'delete chain') {
      if (this.#chain(name).rules.length > 0) throw new Error(`not empty: ${command}`);
      this.chains.delete(name);
    } else if (is === 'add rule') this.#chain(name).rules.push(rest);
    else if (is === 'add set' || is === 'add map') {
      const set = this.sets.get(name);
      if (!set) this.sets.set(name, { declaration: rest, elements: new Map() });
      else if (set.declaration !== rest) throw new Error(`another declaration: ${command}`);
    } else if (is === 'delete set') {
      this.#set(name);
      const users = [...this.chains.values()].flatMap(({ rules }) => rules);
      if (users.some((rule) => rule.split(' ').includes(`@${name}`))) throw new Error(`in use: ${command}`);
      this.sets.delete(name);
    } else if (is === 'flush set') this.#set(name).elements.clear();
    else if (is === 'add element' || is === 'delete element') this.#elements(verb, name, rest);
    else throw new Error(`not understood: ${command}`);
  }

  #elements(verb: string, name: string, text: string): void {
    const { elements } = this.#set(name);
    for (const element of text.slice(2, -2).split(', ')) {
      const [key = '', value = ''] = element.split(' : ');
      const old = elements.get(key);
      if (verb === 'delete') {
        if (!elements.delete(key)) throw new Error(`no such element: ${name} ${key}`);
      } else if (old !== undefined && old !== value) throw new Error(`another value: ${name} ${key}`);
      else elements.set(key, value);
    }
  }

  /** Where rules and elements lead has to be there. */
  #checkReferences(): void {
    const texts = [
      ...[...this.chains.values()].flatMap(({ rules }) => rules),
      ...[...this.sets.values()].flatMap(({ elements }) => [...elements.values()]),
    ];
    for (const text of texts) {
      const chain = /goto (\S+)/.exec(text)?.[1];
      if (chain) this.#chain(chain);
      const set = /@(\S+)/.exec(text)?.[1];
      if (set) this.#set(set);
    }
  }

  #chain(name: string): KernelChain {
    const chain = this.chains.get(name);
    if (!chain) throw new Error(`no such chain: ${name}`);
    return chain;
  }

  #set(name: string): KernelSet {
    const set = this.sets.get(name);
    if (!set) throw new Error(`no such set: ${name}`);
    return set;
  }
}
