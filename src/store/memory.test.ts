import { openMemoryStore } from './memory.ts';
import { type Backend, embeddedStoreContract, storeContract } from './test-contract.ts';

const inMemory = async (): Promise<Backend> => ({
  open: async () => openMemoryStore(),
  remove: async () => {},
});

storeContract('memory', inMemory);
embeddedStoreContract('memory', inMemory);
