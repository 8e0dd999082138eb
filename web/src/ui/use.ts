// SPDX-License-Identifier: AGPL-3.0-or-later
// Reading from the node inside a component.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export interface Loaded<T> {
  data: T | undefined;
  error: unknown;
  busy: boolean;
  again: () => void;
}

/* Runs ${read} when ${deps} change; an answer that comes late is dropped. The old data stays while new is on its way. */
export function useLoad<T>(read: (signal: AbortSignal) => Promise<T>, deps: unknown[]): Loaded<T> {
  const [state, set] = useState<{ data?: T; error?: unknown; busy: boolean }>({ busy: true });
  const [round, setRound] = useState(0);
  const latest = useRef(read);
  latest.current = read;
  useEffect(() => {
    const stop = new AbortController();
    set((s) => ({ ...s, busy: true }));
    latest.current(stop.signal).then(
      (data) => !stop.signal.aborted && set({ data, busy: false }),
      (error: unknown) => !stop.signal.aborted && set((s) => ({ ...s, error, busy: false })),
    );
    return () => stop.abort();
  }, [...deps, round]);
  const again = useCallback(() => setRound((n) => n + 1), []);
  return { data: state.data, error: state.busy ? undefined : state.error, busy: state.busy, again };
}

/* An act that changes something: busy while it runs, its error kept to be shown. */
export function useAct(): { busy: boolean; error: unknown; run: (act: () => Promise<void>) => Promise<boolean>; clear: () => void } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = async (act: () => Promise<void>): Promise<boolean> => {
    if (busy) return false;
    setBusy(true);
    setError(undefined);
    try {
      await act();
      return true;
    } catch (e) {
      setError(e);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run, clear: () => setError(undefined) };
}
