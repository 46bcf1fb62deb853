/** hooks: what happens is told to other programs by POST (docs/design/door.md, W1 to W3). Knows nothing of HTTP's side of it, nor of livetape.yaml. */
export type { DeadLetter, HookEvent, Hooks, HookSettings, HookStatus, HookTest } from './contract.js';
export { openHooks, type HooksOptions } from './hooks.js';
