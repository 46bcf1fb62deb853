/** Short messages at the edge of the page: what was done, and what did not go. Those that tell of an error stay until they are closed. */
import { signal, type ReadonlySignal } from '@preact/signals';
import { ApiError, sentence } from '../api';

/** A message. */
export interface Toast {
  readonly id: number;
  readonly kind: 'done' | 'error';
  readonly text: string;
}

const DONE_MS = 5000;
/** The oldest go. */
const MAX = 4;

const shown = signal<readonly Toast[]>([]);
let next = 0;

export const toasts: ReadonlySignal<readonly Toast[]> = shown;

/** Says that something was done. */
export function sayDone(text: string): void {
  const { id } = add('done', text);
  setTimeout(() => closeToast(id), DONE_MS);
}

/** Says why something did not go; what needs a token brings the way in, which says it itself. */
export function sayError(error: unknown): void {
  if (error instanceof ApiError && error.status === 401) return;
  add('error', sentence(error instanceof Error ? error.message : String(error)));
}

export function closeToast(id: number): void {
  shown.value = shown.value.filter((toast) => toast.id !== id);
}

function add(kind: Toast['kind'], text: string): Toast {
  const toast = { id: next++, kind, text };
  shown.value = [...shown.value.filter((other) => other.text !== text), toast].slice(-MAX);
  return toast;
}
