/** Memory is owned as every medium is. */
import { ownershipContract } from '../ownershipContract.js';
import { createMemoryStorage } from './memoryStorage.js';

ownershipContract('memory', async () => createMemoryStorage());
