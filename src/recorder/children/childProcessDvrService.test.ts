/** The pool of recorder processes: the contract of DvrService over real processes. What ends, stalls and is found again is in test/recorders.test.ts. */
import { dvrContract } from '../dvrContract.js';
import { testPool } from './testPool.js';

dvrContract('child processes', (root) => testPool(root));
