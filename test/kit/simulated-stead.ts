// A stead over simulated nodes for tests of clients (the whole API, without root, containers or volumes), and the
// place where the clients lie that had to be fetched or built.
import { join } from 'node:path';
import { TestStead } from './stead.ts';

const root = join(import.meta.dirname, '..', '..', '..');

/** Outlives the tests; goes with the installed packages. */
export const CLIENTS = join(root, 'node_modules', '.cache', 'stead', 'bin');

/** Starts one; the caller purges it. */
export async function startSimulated(): Promise<TestStead> {
  const stead = new TestStead();
  try {
    await stead.up('--runtime', 'simulated');
    return stead;
  } catch (error) {
    await stead.run('down', '--purge');
    throw error;
  }
}
