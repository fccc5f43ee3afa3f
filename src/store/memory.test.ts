import { type Backend, embeddedStoreContract, storeContract } from './contract.ts';
import { openMemoryStore } from './memory.ts';

const inMemory = async (): Promise<Backend> => ({
  open: async () => openMemoryStore(),
  remove: async () => {},
});

storeContract('memory', inMemory);
embeddedStoreContract('memory', inMemory);
