/** Where the server's own small files are (docs/design/door.md). */
import { join } from 'node:path';
import type { Config } from './schema.js';

/**
 * The folder of tokens, keys, the audit log and the queues of webhooks.
 * @param data - the folder of all streams, as it is used: the command line may name another than the file
 */
export function stateFolder({ state }: Pick<Config, 'state'>, data: string): string {
  return state === '' ? join(data, '.livetape') : state;
}
