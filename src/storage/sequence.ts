/**
 * Steps that are carried out one after another, where the first failure fails all that follow: what
 * storage.ts promises of an upload.
 */

/** A chain of steps. */
export class Sequence {
  #tail: Promise<void> = Promise.resolve();

  /** Carries out `step` after all before it; rejects with the error of the first that failed. */
  run(step: () => Promise<void>): Promise<void> {
    const done = this.#tail.then(step);
    // Not lost when the caller looks away: the same error comes back from every later call, the commit's too.
    done.catch(() => undefined);
    this.#tail = done;
    return done;
  }

  /** Kept when everything asked for so far is over, failed or not. */
  async settled(): Promise<void> {
    await this.#tail.catch(() => undefined);
  }
}
