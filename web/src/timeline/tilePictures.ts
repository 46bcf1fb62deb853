/** Gets the pictures of the line once it has stood still, and says when there are none to be had (docs/design/page.md, G6 and G8). */
import type { Pictures } from '../pictures/contract';
import type { DrawnTile } from './draw';
import { TILE_PX, type Tile } from './strip';

/** The line has stood still for so long; milliseconds. */
const STILL_MS = 300;
/** The pictures of one timeline; `close` gives up what is loaded. */
export class TilePictures {
  readonly #pictures: Pictures;
  readonly #code: string;
  readonly #onChange: () => void;
  /** What is loaded, by moment. */
  readonly #loading = new Map<number, AbortController>();
  #wanted = '';
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onChange - one was answered: it may be drawn, or `hasAny` has changed */
  constructor(pictures: Pictures, code: string, onChange: () => void) {
    this.#pictures = pictures;
    this.#code = code;
    this.#onChange = onChange;
  }

  /** There may be some: the browser decodes them, as far as is known. */
  get hasAny(): boolean {
    return !this.#pictures.isUnsupported(this.#code);
  }

  /** The tiles with what pictures there are; the others are loaded when these are still wanted in a moment. */
  show(tiles: readonly Tile[]): DrawnTile[] {
    const wanted = tiles.map(({ atMs }) => atMs).join();
    const drawn = tiles.map((tile) => ({ ...tile, held: this.#pictures.held(this.#code, tile.atMs, TILE_PX) }));
    // One that was not to be had for now, or has been let go of, is asked for again.
    const isMissing = drawn.some(({ atMs, held }) => held === undefined && !this.#loading.has(atMs));
    if (wanted !== this.#wanted || (isMissing && this.#timer === undefined)) {
      this.#wanted = wanted;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#get(tiles), STILL_MS);
    }
    return drawn.map(({ atMs, x, held }) => ({ atMs, x, bitmap: held === undefined || held === 'none' ? undefined : held.bitmap }));
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const loading of this.#loading.values()) loading.abort();
  }

  #get(tiles: readonly Tile[]): void {
    this.#timer = undefined;
    const moments = new Set(tiles.map(({ atMs }) => atMs));
    for (const [atMs, loading] of this.#loading) if (!moments.has(atMs)) loading.abort();
    for (const atMs of moments) {
      if (this.#loading.has(atMs) || this.#pictures.held(this.#code, atMs, TILE_PX) !== undefined) continue;
      const loading = new AbortController();
      this.#loading.set(atMs, loading);
      void this.#load(atMs, loading);
    }
  }

  async #load(atMs: number, loading: AbortController): Promise<void> {
    try {
      await this.#pictures.get({ code: this.#code, atMs, width: TILE_PX, priority: 0, signal: loading.signal });
      this.#onChange();
    } catch {
      // it was given up
    } finally {
      if (this.#loading.get(atMs) === loading) this.#loading.delete(atMs);
    }
  }
}
