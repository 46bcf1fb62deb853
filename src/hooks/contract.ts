/** What the server asks of its webhooks, and tells them. */
import type { Closable } from '../base/index.js';

/** A webhook as it is written in livetape.yaml (config's hookSchema says what each field is). */
export interface HookSettings {
  readonly url: string;
  readonly events?: readonly string[] | undefined;
  readonly streams?: readonly string[] | undefined;
  readonly secret?: string | undefined;
  readonly batch?: number | undefined;
  readonly batch_ms?: number | undefined;
  readonly restricted?: boolean | undefined;
}

/** Something that happened. */
export interface HookEvent {
  /** Of this event alone. */
  readonly id: string;
  readonly type: string;
  /** RFC 3339. */
  readonly time: string;
  /** Undefined when it is about none: then it is for hooks that an admin set. */
  readonly stream: string | undefined;
  /** What is said of it; nothing that is an admin's alone to know. */
  readonly data: object;
}

/** An event that was given up. */
export interface DeadLetter {
  /** RFC 3339. */
  readonly at: string;
  readonly why: string;
  readonly event: unknown;
}

/** How a webhook is doing. Counters are of this process. */
export interface HookStatus {
  /** Events that wait. */
  readonly queued: number;
  /** Dead letters that are kept. */
  readonly dead: number;
  /** Events that were taken. */
  readonly sent: number;
  /** Requests that failed. */
  readonly failed: number;
  /** Dead letters that had to go for newer ones. */
  readonly dropped: number;
  /** UTC milliseconds. */
  readonly lastSuccessMs: number | undefined;
  readonly lastError: { readonly atMs: number; readonly message: string } | undefined;
}

/** What came of a test. */
export interface HookTest {
  /** Of the answer. */
  readonly status: number;
  readonly durationMs: number;
}

/** The webhooks of a server. */
export interface Hooks extends Closable {
  /** Queues an event for each hook that wants it. Never waits, never throws. */
  publish(event: HookEvent): void;
  /** To be called when the settings have changed. A hook that is not among them any more loses what it had. */
  refresh(): void;
  /** Undefined where there is no such hook. */
  status(id: string): HookStatus | undefined;
  /** The newest dead letters, the newest first. @throws LivetapeError HOOK_NOT_FOUND, STATE_UNWRITABLE */
  deadLetters(id: string, count: number): Promise<DeadLetter[]>;
  /** Sends one event of type `test`, beside the queue. @throws LivetapeError HOOK_NOT_FOUND, HOOK_FAILED, ADDRESS_REFUSED */
  test(id: string): Promise<HookTest>;
  /** Queues the dead letters anew, and sends without waiting for the next try; answers with how many they are. @throws LivetapeError HOOK_NOT_FOUND, STATE_UNWRITABLE */
  retry(id: string): Promise<number>;
}
