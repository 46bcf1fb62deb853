/** Which load is next, and how many there are at a time (docs/design/page.md, G4 and G8): the higher priority first, of equal ones the newest wish. Pure. */

/** 2 the pointer, 1 a tile, 0 the line. */
export type Priority = 0 | 1 | 2;

/** Loads at a time. */
export const MAX_LOADS = 4;
/** Of these for the line, so that neither a tile nor the pointer waits for it. */
export const MAX_LINE_LOADS = 2;

/** A load that waits or runs. */
export interface Job {
  /** Begins it; never rejects. */
  readonly run: () => Promise<void>;
  readonly priority: Priority;
}

/** Loads that wait and run. */
export class LoadQueue {
  /** The newest wish last. */
  readonly #waiting = new Set<Job>();
  readonly #running = new Set<Job>();

  /** How many run. */
  get running(): number {
    return this.#running.size;
  }
  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Wishes for a load. */
  add(run: () => Promise<void>, priority: Priority): Job {
    const job = { run, priority };
    this.#waiting.add(job);
    this.#begin();
    return job;
  }

  /** Somebody else wishes for the same: it counts as just wished, with the higher of both priorities. Nothing when it runs already. */
  again(job: Job, priority: Priority): void {
    if (!this.#waiting.delete(job)) return;
    this.#waiting.add(Object.assign(job, { priority: Math.max(job.priority, priority) as Priority }));
    this.#begin();
  }

  /** Takes out one that waits; what runs ends by itself. */
  forget(job: Job): void {
    this.#waiting.delete(job);
  }

  #begin(): void {
    while (this.#running.size < MAX_LOADS) {
      const job = this.#next();
      if (job === undefined) return;
      this.#waiting.delete(job);
      this.#running.add(job);
      void job.run().finally(() => {
        this.#running.delete(job);
        this.#begin();
      });
    }
  }

  #next(): Job | undefined {
    const forLine = [...this.#running].filter(({ priority }) => priority === 0).length;
    let found: Job | undefined;
    for (const job of this.#waiting) {
      if (job.priority === 0 && forLine >= MAX_LINE_LOADS) continue;
      if (found === undefined || job.priority >= found.priority) found = job;
    }
    return found;
  }
}
