/** Asks for something when a view is opened, then every ten seconds while the page is seen, and at once when it is seen again. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../../api';

const POLL_MS = 10_000;

/** What is known of it. The last answer stays while the server does not give another. */
export interface Polled<T> {
  readonly value: T | undefined;
  /** Why the last try brought nothing. */
  readonly error: string | undefined;
  /** Asks now. Rejects never. */
  refresh(): Promise<void>;
}

/** @param ask - is called again and again; the first one given is the one that counts */
export function usePolled<T>(ask: () => Promise<T>): Polled<T> {
  const [value, setValue] = useState<T>();
  const [error, setError] = useState<string>();
  const turn = useRef(0);
  const asked = useRef(ask);
  const refresh = async (): Promise<void> => {
    const mine = ++turn.current;
    try {
      const answer = await asked.current();
      // An answer that was overtaken tells of what is over.
      if (mine !== turn.current) return;
      setValue(answer);
      setError(undefined);
    } catch (thrown) {
      if (mine === turn.current) setError(thrown instanceof ApiError ? thrown.message : String(thrown));
    }
  };
  useEffect(() => {
    const seen = (): void => {
      if (!document.hidden) void refresh();
    };
    void refresh();
    const timer = setInterval(seen, POLL_MS);
    document.addEventListener('visibilitychange', seen);
    return () => {
      turn.current += 1;
      clearInterval(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  }, []);
  return { value, error, refresh };
}
