/** Pictures that are held, and what is known not to be there: as much as fits, the longest unused dropped first (docs/design/page.md, G8). Pure: time is given. */

/** Pictures held at most. */
export const MAX_PICTURES = 300;
/** And as much of them; bytes, four for each dot. */
export const MAX_BYTES = 48_000_000;
/** Answers of `none` held at most. */
const MAX_NONE = 2000;

/** What is held of a picture. */
export interface Held {
  readonly bitmap: { readonly width: number; readonly height: number; close(): void };
}

/** Holds pictures by key. */
export class Shelf<T extends Held> {
  /** The longest unused first. */
  readonly #held = new Map<string, T>();
  /** Until when there is none; milliseconds of the clock that is given. */
  readonly #none = new Map<string, number>();
  #bytes = 0;

  get count(): number {
    return this.#held.size;
  }
  get bytes(): number {
    return this.#bytes;
  }

  /** What is held; `none` while that is remembered. */
  find(key: string, nowMs: number): T | 'none' | undefined {
    const picture = this.#held.get(key);
    if (picture !== undefined) {
      this.#held.delete(key);
      this.#held.set(key, picture);
      return picture;
    }
    const untilMs = this.#none.get(key);
    if (untilMs === undefined) return undefined;
    if (nowMs < untilMs) return 'none';
    this.#none.delete(key);
    return undefined;
  }

  /** Holds a picture; what is dropped for it is closed. */
  put(key: string, picture: T): void {
    this.#drop(key);
    this.#held.set(key, picture);
    this.#bytes += bytesOf(picture);
    for (const oldest of this.#held.keys()) {
      if ((this.#held.size <= MAX_PICTURES && this.#bytes <= MAX_BYTES) || oldest === key) break;
      this.#drop(oldest);
    }
  }

  /** Remembers that there is none. */
  putNone(key: string, untilMs: number): void {
    this.#none.delete(key);
    this.#none.set(key, untilMs);
    for (const oldest of this.#none.keys()) {
      if (this.#none.size <= MAX_NONE) break;
      this.#none.delete(oldest);
    }
  }

  #drop(key: string): void {
    const picture = this.#held.get(key);
    if (picture === undefined) return;
    this.#held.delete(key);
    this.#bytes -= bytesOf(picture);
    picture.bitmap.close();
  }
}

const bytesOf = ({ bitmap }: Held): number => bitmap.width * bitmap.height * 4;
