/** Looks at a source for a dialog: one at a time, given up when another is looked at or the dialog goes. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, ApiError, type ProbeReport } from '../api';

/** What came of it. `source` is what was looked at. */
export type Probe =
  | { readonly state: 'none' }
  | { readonly state: 'looking'; readonly source: string; readonly sinceMs: number }
  | { readonly state: 'seen'; readonly source: string; readonly report: ProbeReport }
  | { readonly state: 'failed'; readonly source: string; readonly message: string };

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
        setProbe({ state: 'failed', source, message: error instanceof ApiError ? error.message : String(error) });
      },
    );
  };
  return { probe, look, forget };
}
