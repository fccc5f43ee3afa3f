// The distant store keeps the contract of stores, however late everything comes.

import { openMemoryStore } from '../store/memory.ts';
import { storeContract } from '../store/test-contract.ts';
import { DistantStore } from './distant-store.ts';
import { seededRandom } from './seeded-random.ts';

storeContract('distant', async () => {
  const store = openMemoryStore();
  const random = seededRandom(7);
  class Closing extends DistantStore {
    override close = () => store.close();
  }
  return {
    open: async () => new Closing(store, () => Math.floor(random.next() * 3)),
    remove: async () => {},
  };
});
