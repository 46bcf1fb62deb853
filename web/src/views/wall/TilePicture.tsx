/** The newest picture of a stream, while it is seen: asked for again when it is 10 s old (docs/design/page.md, G4), dimmed when nothing comes any more. */
import { untracked, type ReadonlySignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { pictures, type Picture } from '../../pictures';
import { nowMs } from '../../state/clock';
import { may } from '../../state/session';
import { streams } from '../../state/streams';
import { isSoundAlone, newestPictureMs } from './facts';

const AGAIN_MS = 10_000;
/** What is only scrolled past is not asked for. */
const REST_MS = 150;
const SOON_MS = 1500;
const HIDDEN_MS = 1000;

interface TilePictureProps {
  readonly code: string;
  /** CSS pixels. */
  readonly width: number;
  readonly isSeen: boolean;
  /** Media comes: the picture is of now. */
  readonly isFresh: boolean;
  /** What there is to say of the state, over the picture; empty when there is nothing. */
  readonly detail: ReadonlySignal<string>;
}

/** Of which moment the picture is that was shown last: drawn at once when the tile comes back, as long as it is held. */
const shownLast = new Map<string, number>();

export function TilePicture({ code, width, isSeen, isFresh, detail }: TilePictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [isShown, setShown] = useState(false);
  const [isNone, setNone] = useState(false);
  const isUnsupported = pictures.isUnsupported(code);
  const mayPlay = may('playback');

  const draw = ({ bitmap, atMs }: Picture): void => {
    const { current } = canvas;
    if (current === null) return;
    current.width = bitmap.width;
    current.height = bitmap.height;
    current.getContext('2d')?.drawImage(bitmap, 0, 0);
    shownLast.set(code, atMs);
    setShown(true);
  };

  useLayoutEffect(() => {
    const atMs = shownLast.get(code);
    const held = atMs === undefined ? undefined : pictures.held(code, atMs, width);
    if (held !== undefined && held !== 'none') draw(held);
  }, [code, width]);

  useEffect(() => {
    if (!isSeen || isUnsupported || !mayPlay) return;
    const abort = new AbortController();
    let timer = setTimeout(() => void ask(), REST_MS);
    const ask = async (): Promise<void> => {
      let againMs = document.hidden ? HIDDEN_MS : AGAIN_MS;
      const archive = untracked(() => streams.archive(code));
      const atMs = untracked(() => newestPictureMs(streams.stream(code), archive, nowMs()));
      if (atMs === undefined) {
        // Archives are asked for beside the streams, and come a moment later.
        againMs = SOON_MS;
        setNone(archive !== undefined);
      } else if (!document.hidden) {
        try {
          const picture = await pictures.get({ code, atMs, width, priority: 1, signal: abort.signal });
          if (picture === 'none') setNone(true);
          else draw(picture);
        } catch {
          return; // scrolled away
        }
      }
      timer = setTimeout(() => void ask(), againMs);
    };
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [code, width, isSeen, isUnsupported, mayPlay]);

  const without = !mayPlay
    ? 'This token opens no pictures'
    : isUnsupported
      ? isSoundAlone(streams.stream(code)?.status)
        ? 'Sound alone'
        : 'No pictures of this codec are shown'
      : isNone
        ? 'No picture yet'
        : '';
  return (
    <div class={isFresh ? 'wall-picture' : 'wall-picture old'}>
      <canvas ref={canvas} hidden={!isShown} aria-hidden="true" />
      {detail.value !== '' ? <p>{detail}</p> : !isShown && <p>{without}</p>}
    </div>
  );
}
