/** Looks at a source for a dialog: one at a time, given up when another is looked at or the dialog goes. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, ApiError, type ProbeReport } from '../api';

/** Codes of what is wrong with the source itself, or with who asks for it. */
const REFUSED = new Set(['SOURCE_INVALID', 'SOURCE_UNSUPPORTED', 'SOURCE_REFUSED', 'REQUEST_INVALID']);

/** What came of it. `source` is what was looked at. */
export type Probe =
  | { readonly state: 'none' }
  | { readonly state: 'looking'; readonly source: string; readonly sinceMs: number }
  | { readonly state: 'seen'; readonly source: string; readonly report: ProbeReport }
  /** `isRefused`: the server would not take it as a stream's source either. */
  | { readonly state: 'failed'; readonly source: string; readonly message: string; readonly isRefused: boolean };

/** A probe, and what is done with it. */
export interface Probing {
  readonly probe: Probe;
  look(source: string): void;
  /** What is looked at is of no interest any more. */
  forget(): void;
}

export function useProbe(): Probing {
  const [probe, setProbe] = useState<Probe>({ state: 'none' });
  const running = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  const forget = (): void => {
    running.current?.abort();
    running.current = undefined;
    setProbe({ state: 'none' });
  };
  const look = (source: string): void => {
    running.current?.abort();
    const mine = new AbortController();
    running.current = mine;
    setProbe({ state: 'looking', source, sinceMs: performance.now() });
    api.probe(source, mine.signal).then(
      (report) => {
        if (running.current === mine) setProbe({ state: 'seen', source, report });
      },
      (error: unknown) => {
        if (running.current !== mine || mine.signal.aborted) return;
        const isRefused = error instanceof ApiError && REFUSED.has(error.code);
        setProbe({ state: 'failed', source, message: error instanceof ApiError ? error.message : String(error), isRefused });
      },
    );
  };
  return { probe, look, forget };
}
