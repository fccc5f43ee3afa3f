// A neighbour of the machine: a network namespace with a link to it, and a default route that leads over it. Takes root
// and iproute2.
import assert from 'node:assert/strict';
import { run } from './run.ts';

const PREFIX_LENGTH = 29;

export class Neighbour {
  /** The machine's address on the link; both are of a range for documentation, and nobody's. */
  readonly machine = '203.0.113.9';
  readonly address = '203.0.113.10';
  readonly #namespace = `stead-neighbour-${process.pid}`;
  readonly #link = `neigh${process.pid % 100_000}`;

  /** @throws AssertionError if iproute2 refuses. */
  static async make(): Promise<Neighbour> {
    const made = new Neighbour();
    await made.#make();
    return made;
  }

  async #make(): Promise<void> {
    const name = this.#namespace;
    const ip = async (...args: string[]): Promise<void> => {
      const { code, stderr } = await run('ip', args);
      assert.equal(code, 0, `ip ${args.join(' ')}: ${stderr}`);
    };
    await ip('netns', 'add', name);
    await ip('link', 'add', this.#link, 'type', 'veth', 'peer', 'name', 'out0', 'netns', name);
    await ip('address', 'add', `${this.machine}/${PREFIX_LENGTH}`, 'dev', this.#link);
    await ip('link', 'set', this.#link, 'up');
    await ip('-n', name, 'address', 'add', `${this.address}/${PREFIX_LENGTH}`, 'dev', 'out0');
    await ip('-n', name, 'link', 'set', 'out0', 'up');
    await ip('-n', name, 'route', 'add', 'default', 'via', this.machine);
  }

  /** A command that is carried out there. */
  inside(program: string, args: readonly string[]): [string, string[]] {
    return ['ip', ['netns', 'exec', this.#namespace, program, ...args]];
  }

  /** Takes both away. */
  async end(): Promise<void> {
    await run('ip', ['netns', 'delete', this.#namespace]);
    await run('ip', ['link', 'delete', this.#link]);
  }
}
