/** The picture and the timeline of a signed window, and the window as a file. */
import { useComputed, useSignal } from '@preact/signals';
import { Download } from 'lucide';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { archiveTsUrl, withToken, type Keep } from '../../api';
import { Button } from '../../parts/Button';
import { signedPictures } from '../../pictures';
import type { Player } from '../../player/contract';
import { openPlayer } from '../../player/openPlayer';
import { bytesText, countText, lengthText } from '../../time/format';
import { MIN_VIEW_MS, type Marks, type View } from '../../timeline/contract';
import { TimelineData } from '../../timeline/data';
import { Timeline } from '../../timeline/Timeline';
import { gapsWithin } from '../stream/clip';
import { clipFile } from '../stream/clipFile';
import { download } from '../stream/download';
import { linkProblem, type LinkProblem } from './linkProblem';
import { factsOf, signedTimeline, type RecordingStatus, type SignedWindow } from './signedWindow';

interface WatchPlayerProps {
  readonly window: SignedWindow;
  readonly status: RecordingStatus;
  /** It cannot be watched any more. */
  onProblem(problem: LinkProblem): void;
}

/** What is seen beside the window on both sides; of it. */
const BESIDE = 0.03;
/** What a player says of the picture alone; all else is the link's. */
const OF_PICTURE = new Set(['CODEC_UNSUPPORTED', 'MEDIA_FAILED', 'UNREACHABLE']);

export function WatchPlayer({ window, status, onProblem }: WatchPlayerProps) {
  const { code, token, fromMs, toMs } = window;
  const video = useRef<HTMLVideoElement>(null);
  const player = useSignal<Player | undefined>(undefined);
  const sizeBytes = useSignal<number | undefined>(undefined);
  const data = useMemo(() => new TimelineData(signedTimeline(window)), []);
  const pictures = useMemo(() => signedPictures(token), []);

  useEffect(() => {
    if (video.current) player.value = openPlayer(code, video.current, { bounds: { token, fromMs, toMs } });
    const ends = new AbortController();
    // What cannot be told is not shown: the download says why.
    clipFile(code, { fromMs, toMs }, ends.signal, token).then(
      (file) => (sizeBytes.value = file.sizeBytes),
      () => undefined,
    );
    return () => {
      ends.abort();
      player.value?.close();
      data.close();
    };
  }, []);

  const positionMs = useComputed(() => player.value?.positionMs.value);
  const problem = useComputed(() => player.value?.problem.value);
  const view = useSignal<View>(viewOf(window));
  const none = useNothing();
  useEffect(
    () =>
      problem.subscribe((told) => {
        if (told && !OF_PICTURE.has(told.code)) onProblem(linkProblem(told));
      }),
    [],
  );

  const { count, lostMs } = gapsWithin(factsOf(status, window, fromMs, toMs), window);
  return (
    <>
      <div class="watch-picture panel">
        <video ref={video} controls playsInline aria-label={`${code}, recorded`} />
        {problem.value !== undefined && <p role="status">{problem.value.message}</p>}
      </div>
      <Timeline
        code={code}
        data={data}
        pictures={pictures}
        view={view}
        positionMs={positionMs}
        {...none}
        onSeek={(ms) => player.peek()?.seek(Math.min(Math.max(ms, fromMs), toMs - 1))}
      />
      <div class="watch-below">
        <Button icon={Download} onClick={() => download(withToken(token, archiveTsUrl(code, fromMs, toMs)))}>
          Download TS{sizeBytes.value === undefined ? '' : ` (${bytesText(sizeBytes.value)})`}
        </Button>
        <p class="quiet">
          {count === 0
            ? 'Nothing is missing in it.'
            : `${countText(count)} ${count === 1 ? 'gap' : 'gaps'} within, ${lengthText(lostMs)} missing.`}
        </p>
      </div>
    </>
  );
}

/** What a window of the past has none of: live, a gap that goes on, keeps, marks. */
function useNothing() {
  return {
    isLive: useSignal(false),
    edgeMs: useSignal<number | undefined>(undefined),
    openGap: useSignal(undefined),
    keeps: useSignal<readonly Keep[]>([]),
    marks: useSignal<Marks>({}),
    revision: useSignal(0),
  };
}

function viewOf({ fromMs, toMs }: SignedWindow): View {
  const beside = Math.max((toMs - fromMs) * BESIDE, (MIN_VIEW_MS - (toMs - fromMs)) / 2);
  return { fromMs: fromMs - beside, toMs: toMs + beside };
}
