/**
 * Pictures of moments, decoded by the browser from one-keyframe previews (docs/design/page.md, G4 and G8). One for the whole page: it bounds how many are loaded
 * and decoded at a time, and how many are held.
 */

/** A picture of a stream. It belongs to the cache: draw it, do not close it, do not hold it. */
export interface Picture {
  readonly bitmap: ImageBitmap;
  /** What was asked for; UTC milliseconds. */
  readonly atMs: number;
}

/** `none`: there is no picture (a gap, expired, a codec that is not decoded); asking again makes no sense for now. */
export type PictureAnswer = Picture | 'none';

/** A wish for a picture. */
export interface PictureRequest {
  readonly code: string;
  /** UTC milliseconds. Snap it, so that neighbours share pictures. */
  readonly atMs: number;
  /** How wide it will be drawn; CSS pixels. */
  readonly width: number;
  /** Higher is earlier; of equal ones the newest wish is first. The pointer's 2, tiles' 1, the line's 0. */
  readonly priority: 0 | 1 | 2;
  /** Whoever wished it no more wants it: a load that was begun is given up. */
  readonly signal: AbortSignal;
}

/** Gets pictures. */
export interface Pictures {
  /** One that is held; undefined when it has to be loaded. */
  held(code: string, atMs: number, width: number): PictureAnswer | undefined;
  /** Rejects with the signal's reason alone; what cannot be had is `none`. */
  get(request: PictureRequest): Promise<PictureAnswer>;
  /** There are no pictures of this stream: they are not made of its codec, or this browser does not decode it. Follow it within a computed or a component. */
  isUnsupported(code: string): boolean;
}
