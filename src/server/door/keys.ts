/** What the door of a running server knows credentials by: its tokens, its signing keys, its authoriser. */
import { join } from 'node:path';
import { openAuthorizer, openSignedTokens, openSigningKey, openTokenStore, type SigningKey } from '../../access/index.js';
import type { Clock, Closable, Logger } from '../../base/index.js';
import type { ConfigStore } from '../../config/index.js';
import type { Keys } from './door.js';
import { makeFirstToken } from './firstToken.js';

/** What they are opened with. */
export interface KeysOptions {
  readonly config: ConfigStore;
  /** The folder of the server's own files. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Opens them. Where auth is on and there is no token, the first one is made.
 * @throws LivetapeError STATE_UNREADABLE, STATE_UNWRITABLE
 */
export async function openKeys({ config, folder, clock, log }: KeysOptions): Promise<Keys & Closable> {
  const auth = (): ReturnType<typeof authOf> => authOf(config);
  const tokens = await openTokenStore({ path: join(folder, 'tokens.json'), clock, log });
  try {
    // A server without auth signs nothing that anybody has to show, and need not be able to write.
    let own: SigningKey | undefined;
    const prepare = async (): Promise<void> => {
      if (!auth().enabled) return;
      own ??= await openSigningKey(join(folder, 'signing-key'), clock);
      await makeFirstToken(tokens, folder, log);
    };
    await prepare();
    const unfollow = config.onChange(() => {
      prepare().catch((error: unknown) => log.error({ err: error }, 'auth was turned on, and its files cannot be made: nobody is let in'));
    });
    const signed = openSignedTokens({ keys: () => (auth().keys.length > 0 ? auth().keys : own === undefined ? [] : [own]), clock });
    const authorizer = openAuthorizer({ url: () => auth().http_url, timeoutMs: () => auth().http_timeout_ms, clock, log });
    const close = async (): Promise<void> => {
      unfollow();
      await authorizer.close();
      await tokens.close();
    };
    return { tokens, signed, authorizer, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await tokens.close();
    throw error;
  }
}

const authOf = (config: ConfigStore): ConfigStore['state']['config']['auth'] => config.state.config.auth;
