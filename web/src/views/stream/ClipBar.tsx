/**
 * The clip: marks in and out, how long and how large it is and what is missing in it, and what can be done with it: download, keep, link (docs/design/page.md, G9).
 * `i` and `o` are the page's keys (player/): they set marks by `withMark`.
 */
import { useComputed, useSignal, type ReadonlySignal, type Signal } from '@preact/signals';
import { Archive, Download, Link, X } from 'lucide';
import { api, archiveTsUrl, withToken, type Keep } from '../../api';
import { Button } from '../../parts/Button';
import { isGuarded, may } from '../../state/session';
import { sayDone, sayError } from '../../state/toasts';
import type { LoadTimeline, Marks } from '../../timeline/contract';
import { clipOf, inOrder, withMark, type Clip, type MarkName } from './clip';
import './ClipBar.css';
import { ClipFacts } from './ClipFacts';
import { ClipKeepDialog } from './ClipKeepDialog';
import { ClipLinkDialog } from './ClipLinkDialog';
import { ClipMoment } from './ClipMoment';
import { download } from './download';

interface ClipBarProps {
  readonly code: string;
  /** Written here, by the timeline's handles and by keys. */
  readonly marks: Signal<Marks>;
  readonly positionMs: ReadonlySignal<number | undefined>;
  /** The end of what is recorded: a clip that ends after it is asked for again when it is reached. */
  readonly edgeMs: ReadonlySignal<number | undefined>;
  /** As the timeline's: tells the gaps within. */
  readonly load: LoadTimeline;
  onKept(keep: Keep): void;
}

/** For a browser to begin a download, which then goes on. */
const DOWNLOAD_SEC = 60;

export function ClipBar({ code, marks, positionMs, edgeMs, load, onKept }: ClipBarProps) {
  const clip = useComputed(() => clipOf(marks.value));
  const asked = useSignal<'keep' | 'link' | undefined>(undefined);
  const isBusy = useSignal(false);

  const set = (name: MarkName, ms: number): void => {
    marks.value = withMark(marks.peek(), name, ms);
  };
  const take = async ({ fromMs, toMs }: Clip): Promise<void> => {
    isBusy.value = true;
    try {
      const url = archiveTsUrl(code, fromMs, toMs);
      // A browser's own download carries no header: the address has to open it by itself.
      download(isGuarded.value ? withToken((await api.sign(code, fromMs, toMs, DOWNLOAD_SEC)).token, url) : url);
    } catch (error) {
      sayError(error);
    }
    isBusy.value = false;
  };

  const { inMs, outMs } = inOrder(marks.value);
  const taken = clip.value;
  return (
    <section class="clip panel" aria-label="Clip">
      <div class="clip-marks">
        <Mark name="in" ms={inMs} positionMs={positionMs} onSet={set} />
        <Mark name="out" ms={outMs} positionMs={positionMs} onSet={set} />
      </div>
      {taken === undefined ? (
        <p class="clip-facts quiet">
          {inMs === undefined && outMs === undefined
            ? 'Mark where a clip begins and ends to download, keep or share it.'
            : inMs === outMs
              ? 'Both marks are at the same moment.'
              : `Mark ${inMs === undefined ? 'in where it begins' : 'out where it ends'}.`}
        </p>
      ) : (
        <ClipFacts code={code} clip={clip} edgeMs={edgeMs} load={load} />
      )}
      <div class="clip-actions">
        {taken !== undefined && (
          <>
            {may('playback') && (
              <Button icon={Download} kind="main" disabled={isBusy.value} onClick={() => void take(taken)}>
                Download TS
              </Button>
            )}
            <Button icon={Archive} onClick={() => (asked.value = 'keep')}>
              Keep …
            </Button>
            <Button icon={Link} onClick={() => (asked.value = 'link')}>
              Link …
            </Button>
          </>
        )}
        {(inMs !== undefined || outMs !== undefined) && (
          <Button icon={X} kind="plain" label="Clear the marks" onClick={() => (marks.value = {})} />
        )}
      </div>
      {taken !== undefined && asked.value === 'link' && (
        <ClipLinkDialog code={code} clip={taken} onClose={() => (asked.value = undefined)} />
      )}
      {taken !== undefined && asked.value === 'keep' && (
        <ClipKeepDialog
          code={code}
          clip={taken}
          onClose={() => (asked.value = undefined)}
          onKept={(keep) => {
            sayDone(`${keep.name} is kept${keep.missing_count ? `; ${keep.missing_count} of its segments were gone` : ''}.`);
            onKept(keep);
          }}
        />
      )}
    </section>
  );
}

interface MarkProps {
  readonly name: MarkName;
  readonly ms: number | undefined;
  readonly positionMs: ReadonlySignal<number | undefined>;
  onSet(name: MarkName, ms: number): void;
}

function Mark({ name, ms, positionMs, onSet }: MarkProps) {
  const isNowhere = useComputed(() => positionMs.value === undefined);
  return (
    <div class="clip-mark">
      <Button
        keys={name === 'in' ? 'i' : 'o'}
        label={`Mark ${name} at what is shown`}
        disabled={isNowhere.value}
        onClick={() => {
          const at = positionMs.peek();
          if (at !== undefined) onSet(name, at);
        }}
      >
        Mark {name}
      </Button>
      {ms !== undefined && <ClipMoment label={`Clip ${name === 'in' ? 'begins' : 'ends'}`} ms={ms} onChange={(to) => onSet(name, to)} />}
    </div>
  );
}
