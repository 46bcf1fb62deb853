/** The time, which ticks once a second: the server's, where this machine's clock is off (api/client.ts). */
import { signal, type ReadonlySignal } from '@preact/signals';
import { clockOffsetMs } from '../api';

/** UTC milliseconds, now, to the millisecond. */
export const nowMs = (): number => Date.now() + clockOffsetMs();

const ticking = signal(nowMs());
setInterval(() => (ticking.value = nowMs()), 1000);

/** UTC milliseconds, told anew each second. */
export const now: ReadonlySignal<number> = ticking;
