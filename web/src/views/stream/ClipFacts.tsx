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

/** What is known of a clip. */
interface Facts {
  readonly of?: Clip;
  readonly file?: ClipFile;
  readonly gaps?: ClipGaps;
  /** Why it cannot be had. */
  readonly problem?: string | undefined;
}

/** Marks that are dragged are not asked about at each step. */
const STILL_MS = 400;

export function ClipFacts({ code, clip, edgeMs, load }: ClipFactsProps) {
  const facts = useSignal<Facts>({});
  const isRecorded = useComputed(() => (edgeMs.value ?? Infinity) >= (clip.value?.toMs ?? 0));

  useSignalEffect(() => {
    const asked = clip.value;
    // When the end is reached it is asked for again.
    void isRecorded.value;
    if (asked === undefined) return;
    const ends = new AbortController();
    const { signal } = ends;
    const learn = (found: Facts): void => {
      const known = facts.peek();
      if (!signal.aborted) facts.value = { ...(known.of === asked ? known : {}), ...found, of: asked };
    };
    const wrong = (error: unknown): void => learn({ problem: windowProblem(error) });
    const timer = setTimeout(() => {
      // What was wrong may not be any more.
      learn({ problem: undefined });
      if (may('playback')) clipFile(code, asked, signal).then((file) => learn({ file }), wrong);
      clipGaps(load, asked, signal).then((gaps) => learn({ gaps }), wrong);
    }, STILL_MS);
    return () => {
      clearTimeout(timer);
      ends.abort();
    };
  });

  const { fromMs, toMs } = clip.value ?? { fromMs: 0, toMs: 0 };
  // Those of other marks are nobody's.
  const { file, gaps, problem } = facts.value.of === clip.value ? facts.value : {};
  return (
    <div class="clip-facts" aria-live="polite">
      <dl>
        <div>
          <dt>Length</dt>
          <dd class="number">{lengthText(toMs - fromMs)}</dd>
        </div>
        {may('playback') && problem === undefined && (
          <div>
            <dt>Size</dt>
            <dd class="number">{file === undefined ? '…' : bytesText(file.sizeBytes)}</dd>
          </div>
        )}
        {gaps !== undefined && (
          <div>
            <dt>Gaps</dt>
            <dd class={gaps.count === 0 ? 'number' : 'number wrong'}>
              {gaps.count === 0 ? 'none' : `${countText(gaps.count)}, ${lengthText(gaps.lostMs)} missing`}
            </dd>
          </div>
        )}
      </dl>
      {problem !== undefined ? (
        <p class="wrong">{problem}</p>
      ) : (
        file !== undefined &&
        file.playsMs !== toMs - fromMs && (
          <p class="hint">
            The file plays {lengthText(file.playsMs)}: from keyframe to keyframe
            {gaps !== undefined && gaps.count > 0 && ', without the gaps'}.
          </p>
        )
      )}
    </div>
  );
}
