// The elements of one nftables set while they change: a snapshot that has been given away stays as it was, and what has not
// changed since gives the same one again, so that nobody looks for differences in it.
import type { Elements } from '../nftables/ruleset.ts';

export class ElementSet {
  #elements = new Map<string, string | undefined>();
  #isShared = false;

  set(key: string, value?: string): void {
    if (this.#elements.has(key) && this.#elements.get(key) === value) return;
    this.#own().set(key, value);
  }

  delete(key: string): void {
    if (this.#elements.has(key)) this.#own().delete(key);
  }

  snapshot(): Elements {
    this.#isShared = true;
    return this.#elements;
  }

  #own(): Map<string, string | undefined> {
    if (this.#isShared) this.#elements = new Map(this.#elements);
    this.#isShared = false;
    return this.#elements;
  }
}
