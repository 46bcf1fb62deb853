/** Who is here, and what it may do: a token is asked for when the server asks for one, and kept until the browser is closed, or longer when that is wished (G11). */
import { computed, signal, type ReadonlySignal } from '@preact/signals';
import { api, ApiError, useCredential, whenRefused, type Grant, type Scope } from '../api';

const KEY = 'livetape.token';

/** `asking`: nothing is known yet; `refused`: a token is asked for; `unreachable`: the server does not answer. */
export type SessionState = 'asking' | 'refused' | 'unreachable' | 'in';

const state = signal<SessionState>('asking');
const known = signal<Grant | undefined>(undefined);
const why = signal<string | undefined>(undefined);

export const sessionState: ReadonlySignal<SessionState> = state;
/** What the credential opens; undefined before one is in. */
export const grant: ReadonlySignal<Grant | undefined> = known;
/** Why the last token did not open anything. */
export const refusal: ReadonlySignal<string | undefined> = why;
/** Whether the server asks for credentials. */
export const isGuarded: ReadonlySignal<boolean> = computed(() => known.value !== undefined && known.value.kind !== 'local');

/** Whether who is here has a scope; an admin has all. */
export function may(scope: Scope): boolean {
  const scopes = known.value?.scopes ?? [];
  return scopes.includes(scope) || scopes.includes('admin');
}

function stored(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

function store(token: string | undefined, remember: boolean): void {
  try {
    sessionStorage.removeItem(KEY);
    localStorage.removeItem(KEY);
    if (token !== undefined) (remember ? localStorage : sessionStorage).setItem(KEY, token);
  } catch {
    // a browser that keeps nothing: it lasts as long as the page
  }
}

/** Finds out who is here, with what is kept. */
export async function begin(): Promise<void> {
  useCredential(stored());
  whenRefused((error) => refuse(stored() === undefined ? undefined : error.message));
  await ask();
}

/** Asks again who is here. */
async function ask(): Promise<void> {
  try {
    known.value = await api.whoami();
    why.value = undefined;
    state.value = 'in';
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 401) return;
    why.value = error.message;
    state.value = 'unreachable';
    setTimeout(() => void ask(), 3000);
  }
}

function refuse(message: string | undefined): void {
  known.value = undefined;
  why.value = message;
  state.value = 'refused';
}

/** Tries a token. @returns whether it opens anything */
export async function signIn(token: string, remember: boolean): Promise<boolean> {
  store(token, remember);
  useCredential(token);
  await ask();
  return state.value === 'in';
}

/** Forgets the token. */
export function signOut(): void {
  store(undefined, false);
  useCredential(undefined);
  refuse(undefined);
}
