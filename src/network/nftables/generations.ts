// Reads what `nft monitor` prints: which transactions there were, whether they touched our table, and which were our own.
// Pure.

/** A set whose only element our own transactions change, each to a number of its own. */
export const STAMP_SET = 'written';

/** One transaction of anybody on the machine. */
export interface Generation {
  /** Whether something of our table was changed. */
  touched: boolean;
  /** The number that one of our own transactions wrote. */
  stamp: number | undefined;
}

/** The commands that stamp a transaction as ours. */
export function stampCommands(table: string, stamp: number): string[] {
  return [`flush set inet ${table} ${STAMP_SET}`, `add element inet ${table} ${STAMP_SET} { ${stamp} }`];
}

export class GenerationReader {
  readonly #ours: RegExp;
  readonly #stamp: RegExp;
  #line = '';
  #generation: Generation = { touched: false, stamp: undefined };

  constructor(table: string) {
    this.#ours = new RegExp(`^\\w+ \\w+ inet ${table}(\\s|$)`);
    this.#stamp = new RegExp(`^add element inet ${table} ${STAMP_SET} \\{ (0x[0-9a-f]+|\\d+) \\}`);
  }

  /** Takes in what was printed, and gives the transactions that have ended with it. */
  read(text: string): Generation[] {
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    return lines.flatMap((line) => {
      if (line.startsWith('# new generation')) {
        const generation = this.#generation;
        this.#generation = { touched: false, stamp: undefined };
        return [generation];
      }
      // The kernel had no room for all that happened.
      if (line.startsWith('#')) this.#generation.touched = true;
      if (this.#ours.test(line)) this.#generation.touched = true;
      const stamp = this.#stamp.exec(line)?.[1];
      if (stamp !== undefined) this.#generation.stamp = Number(stamp);
      return [];
    });
  }
}
