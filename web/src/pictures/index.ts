/** pictures: what was to be seen at a moment, for the wall and the timeline. */
import { nowMs } from '../state/clock';
import { PictureCache } from './cache';
import { loadPicture } from './load';

export type { Picture, PictureAnswer, PictureRequest, Pictures } from './contract';

/** The page's. Wider than twice is more than a picture of a keyframe shows. */
export const pictures = new PictureCache(loadPicture, nowMs, () => Math.min(2, devicePixelRatio));
