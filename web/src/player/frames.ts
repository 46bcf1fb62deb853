/** Which frame a video shows: told at each frame where the browser says so (requestVideoFrameCallback), else as its time passes. */

/** Tells of frames until it is closed. */
export class Frames {
  readonly #video: HTMLVideoElement;
  readonly #onFrame: (sec: number) => void;
  #handle: number | undefined;
  #shownSec: number | undefined;
  #frameSec = 1 / 25;

  /** @param onFrame - told in media time */
  constructor(video: HTMLVideoElement, onFrame: (sec: number) => void) {
    this.#video = video;
    this.#onFrame = onFrame;
    video.addEventListener('timeupdate', this.#onTime);
    video.addEventListener('seeking', this.#onSeeking);
    this.#wish();
  }

  /** Where the frame that is shown begins. */
  get shownSec(): number {
    return this.#shownSec ?? this.#video.currentTime;
  }

  /** How long a frame is. */
  get frameSec(): number {
    return this.#frameSec;
  }

  close(): void {
    this.#video.removeEventListener('timeupdate', this.#onTime);
    this.#video.removeEventListener('seeking', this.#onSeeking);
    if (this.#handle !== undefined) this.#video.cancelVideoFrameCallback(this.#handle);
  }

  #wish(): void {
    if (!('requestVideoFrameCallback' in this.#video)) return;
    this.#handle = this.#video.requestVideoFrameCallback((_now, { mediaTime }) => {
      const lasted = mediaTime - (this.#shownSec ?? NaN);
      // At speed frames are left out: the shortest step of late is the frame's own; the slow growth lets a new rate of frames be learnt.
      if (lasted > 0.005 && lasted < 0.2) this.#frameSec = Math.min(lasted, this.#frameSec * 1.05);
      this.#shownSec = mediaTime;
      this.#onFrame(mediaTime);
      this.#wish();
    });
  }

  readonly #onSeeking = (): void => {
    this.#shownSec = undefined;
  };

  /** Frames are not told of a page that is not seen, nor of sound alone. */
  readonly #onTime = (): void => {
    const { currentTime } = this.#video;
    if (this.#shownSec !== undefined && Math.abs(currentTime - this.#shownSec) < 0.5) return;
    this.#shownSec = undefined;
    if (!this.#video.seeking) this.#onFrame(currentTime);
  };
}
