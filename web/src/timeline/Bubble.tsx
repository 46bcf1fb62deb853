/** What is at the moment that is pointed at: its picture, its time, and what is to be said of it. Nobody hears of it: the slider and the list say the same. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Picture, Pictures } from '../pictures/contract';
import './bubble.css';

/** CSS pixels, as in bubble.css. */
const WIDTH = 208;
const HEIGHT = 117;

interface BubbleProps {
  readonly code: string;
  readonly pictures: Pictures;
  /** Where, from the left of the line, and how wide that is. */
  readonly x: number;
  readonly lineWidth: number;
  readonly moment: string;
  readonly lines: readonly string[];
  /** Of which moment the picture is; undefined where there is none. */
  readonly pictureMs: number | undefined;
}

export function Bubble({ code, pictures, x, lineWidth, moment, lines, pictureMs }: BubbleProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hasPicture, setHasPicture] = useState(false);
  useEffect(() => {
    if (pictureMs === undefined) {
      setHasPicture(false);
      return undefined;
    }
    const loading = new AbortController();
    const show = (answer: Picture | 'none'): void => {
      if (loading.signal.aborted) return;
      setHasPicture(answer !== 'none');
      if (answer !== 'none' && canvas.current) paintInto(canvas.current, answer.bitmap);
    };
    const held = pictures.held(code, pictureMs, WIDTH);
    // The one before stays until the next is there: a bubble that blinks at each move is worse than one that is late.
    if (held !== undefined) show(held);
    else pictures.get({ code, atMs: pictureMs, width: WIDTH, priority: 2, signal: loading.signal }).then(show, () => undefined);
    return () => loading.abort();
  }, [code, pictures, pictureMs]);
  const half = WIDTH / 2 + 9;
  const left = lineWidth < 2 * half ? lineWidth / 2 : Math.max(half, Math.min(x, lineWidth - half));
  return (
    <div class="bubble" style={{ left: `${left}px` }} aria-hidden="true">
      <canvas ref={canvas} class={hasPicture ? 'bubble-picture' : 'bubble-picture bubble-none'} />
      <p class="bubble-moment">{moment}</p>
      {lines.map((line) => (
        <p key={line} class="bubble-line">
          {line}
        </p>
      ))}
    </div>
  );
}

function paintInto(canvas: HTMLCanvasElement, bitmap: ImageBitmap): void {
  const ratio = devicePixelRatio;
  [canvas.width, canvas.height] = [WIDTH * ratio, HEIGHT * ratio];
  const zoom = Math.min(canvas.width / bitmap.width, canvas.height / bitmap.height);
  const [w, h] = [bitmap.width * zoom, bitmap.height * zoom];
  canvas.getContext('2d')?.drawImage(bitmap, (canvas.width - w) / 2, (canvas.height - h) / 2, w, h);
}
