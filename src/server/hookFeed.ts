/** The server's webhooks (docs/design/door.md, W1 to W3): rooms hooks and config put together, and the events that they are told of. */
import { join } from 'node:path';
import type { Clock, Logger } from '../base/index.js';
import type { ConfigStore } from '../config/index.js';
import { openHooks, type HookEvent, type Hooks } from '../hooks/index.js';
import type { FeedEvent } from './events.js';

/** What they are opened with. */
export interface HookFeedOptions {
  readonly config: Pick<ConfigStore, 'state' | 'onChange'>;
  /** Of the server's own files. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Opens the webhooks that the file names; they follow it as it changes. */
export async function openConfiguredHooks({ config, folder, clock, log }: HookFeedOptions): Promise<Hooks> {
  const hooks = await openHooks({
    // One that records nothing hears of nothing; what waits is sent by the server that records into the same folder.
    stateFolder: config.state.config.recorders === 0 ? join(folder, 'not-recording') : folder,
    clock,
    log,
    hooks: () => new Map(Object.entries(config.state.config.hooks)),
    egress: () => config.state.config.egress,
  });
  config.onChange(() => hooks.refresh());
  return hooks;
}

/** An event of the event stream as webhooks tell it: the same id, the same type, the same JSON. */
export function hookEvent({ id, type, streamCode, data }: FeedEvent): HookEvent {
  return { id, type, time: data.at, stream: streamCode, data };
}
