/** dialogs: about streams, and one that asks before something is done. */
export { ConfirmDialog } from './ConfirmDialog';
export { DeleteStreamDialog } from './DeleteStreamDialog';
export { StreamDialog } from './StreamDialog';
