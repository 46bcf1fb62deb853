/** The storage in memory holds to the contract. */
import { storageContract } from '../storageContract.js';
import { createMemoryStorage } from './memoryStorage.js';

storageContract('memory', () => Promise.resolve(createMemoryStorage()));
