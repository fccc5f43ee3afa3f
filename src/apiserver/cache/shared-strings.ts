// Texts that many objects have in common, each kept once: names, reasons, times. Bounded: of what has not been seen for
// long there may be a second copy.

const LIMIT = 8192;

export class SharedStrings {
  readonly #known = new Map<string, string>();

  /** The same text, and the same object for everybody who has it. */
  readonly share = (text: string): string => {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    this.#known.set(text, text);
    if (this.#known.size > LIMIT) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    return text;
  };
}
