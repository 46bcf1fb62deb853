/** config: the file livetape.yaml. Composes the schemas of what it configures. */
export { checkSource } from './check.js';
export type { ConfigState, ConfigStore } from './contract.js';
export { openConfig, type ConfigStoreOptions } from './store.js';
export { configSchema, dvrSchema, DVR_DEFAULTS, hookSchema, streamSchema, templateSchema } from './schema.js';
export type { Config, DvrSettings, HookEntry, StreamConfig, StreamEntry } from './schema.js';
export { stateFolder } from './stateFolder.js';
