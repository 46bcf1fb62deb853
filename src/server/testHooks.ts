/** Webhooks that send nothing, and say what a test has them say. */
import { LivetapeError } from '../base/index.js';
import type { DeadLetter, HookEvent, Hooks, HookStatus, HookTest } from '../hooks/index.js';

const QUIET: HookStatus = { queued: 0, dead: 0, sent: 0, failed: 0, dropped: 0, lastSuccessMs: undefined, lastError: undefined };

/** See the file's head. */
export class FakeHooks implements Hooks {
  readonly published: HookEvent[] = [];
  readonly statuses = new Map<string, HookStatus>();
  readonly letters = new Map<string, DeadLetter[]>();
  /** Ids that were tested and retried. */
  readonly asked: string[] = [];
  /** What a test comes to. */
  outcome: () => HookTest = () => ({ status: 204, durationMs: 12 });

  publish(event: HookEvent): void {
    this.published.push(event);
  }

  refresh(): void {
    return undefined;
  }

  status(id: string): HookStatus {
    return this.statuses.get(id) ?? QUIET;
  }

  async deadLetters(id: string, count: number): Promise<DeadLetter[]> {
    return (this.letters.get(id) ?? []).slice(0, count);
  }

  async test(id: string): Promise<HookTest> {
    this.asked.push(`test ${id}`);
    return this.outcome();
  }

  async retry(id: string): Promise<number> {
    this.asked.push(`retry ${id}`);
    const letters = this.letters.get(id);
    if (letters === undefined) throw new LivetapeError('HOOK_NOT_FOUND', `there is no webhook ${id}`);
    this.letters.delete(id);
    return letters.length;
  }

  async close(): Promise<void> {
    return undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
