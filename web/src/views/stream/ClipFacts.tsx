/** How long and how large a clip is, and what is missing in it: asked for when its marks have stood still for a moment. */
import { useComputed, useSignal, useSignalEffect, type ReadonlySignal } from '@preact/signals';
import { bytesText, countText, lengthText } from '../../time/format';
import type { LoadTimeline } from '../../timeline/contract';
import { may } from '../../state/session';
import type { Clip, ClipGaps } from './clip';
import { clipFile, clipGaps, type ClipFile } from './clipFile';
import { windowProblem } from './windowProblem';

interface ClipFactsProps {
  readonly code: string;
  readonly clip: ReadonlySignal<Clip | undefined>;
  readonly edgeMs: ReadonlySignal<number | undefined>;
  readonly load: LoadTimeline;
}

/** Marks that are dragged are not asked about at each step. */
const STILL_MS = 400;

export function ClipFacts({ code, clip, edgeMs, load }: ClipFactsProps) {
  const file = useSignal<ClipFile | undefined>(undefined);
  const gaps = useSignal<ClipGaps | undefined>(undefined);
  const problem = useSignal<string | undefined>(undefined);
  const isRecorded = useComputed(() => (edgeMs.value ?? Infinity) >= (clip.value?.toMs ?? 0));

  useSignalEffect(() => {
    const asked = clip.value;
    // When the end is reached it is asked for again.
    void isRecorded.value;
    [file.value, gaps.value, problem.value] = [undefined, undefined, undefined];
    if (asked === undefined) return;
    const ends = new AbortController();
    const { signal } = ends;
    const wrong = (error: unknown): void => {
      if (!signal.aborted) problem.value = windowProblem(error);
    };
    const timer = setTimeout(() => {
      if (may('playback')) clipFile(code, asked, signal).then((found) => signal.aborted || (file.value = found), wrong);
      clipGaps(load, asked, signal).then((found) => signal.aborted || (gaps.value = found), wrong);
    }, STILL_MS);
    return () => {
      clearTimeout(timer);
      ends.abort();
    };
  });

  const { fromMs, toMs } = clip.value ?? { fromMs: 0, toMs: 0 };
  return (
    <div class="clip-facts" aria-live="polite">
      <dl>
        <div>
          <dt>Length</dt>
          <dd class="number">{lengthText(toMs - fromMs)}</dd>
        </div>
        {may('playback') && problem.value === undefined && (
          <div>
            <dt>Size</dt>
            <dd class="number">{file.value === undefined ? '…' : bytesText(file.value.sizeBytes)}</dd>
          </div>
        )}
        {gaps.value !== undefined && (
          <div>
            <dt>Gaps</dt>
            <dd class={gaps.value.count === 0 ? 'number' : 'number wrong'}>
              {gaps.value.count === 0 ? 'none' : `${countText(gaps.value.count)}, ${lengthText(gaps.value.lostMs)} missing`}
            </dd>
          </div>
        )}
      </dl>
      {problem.value !== undefined ? (
        <p class="wrong">{problem}</p>
      ) : (
        may('playback') && <p class="hint">The file begins at the keyframe before the first mark and ends at the one after the second.</p>
      )}
    </div>
  );
}
