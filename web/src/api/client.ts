/**
 * Asks the HTTP interface: one function for each thing the page asks for. Errors are ApiErrors with the server's code; a server that does not answer is
 * `UNREACHABLE`, a code of the page's own. Knows nothing of the DOM beyond fetch.
 */
import type {
  ArchiveLine,
  Grant,
  Hook,
  HookEdit,
  Keep,
  ProbeReport,
  Scope,
  SignedLink,
  Stream,
  StreamEdit,
  System,
  TimelineAnswer,
  Token,
} from './types';

/** A request that the server refused, or never answered. */
export class ApiError extends Error {
  /** As in docs/reference/errors.md; `UNREACHABLE` where there was no answer, `ANSWER_INVALID` for one that is not the server's. */
  readonly code: string;
  /** 0 without an answer. */
  readonly status: number;

  constructor(code: string, message: string, status: number) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
  }
}

/** An answer has come by then; milliseconds. A probe takes 8 s. */
const ANSWER_MS = 20_000;

let credential: string | undefined;
let onRefused: (error: ApiError) => void = () => undefined;
let offsetMs = 0;

/** What is sent with every request from now on. */
export function useCredential(token: string | undefined): void {
  credential = token;
}

/** Called with each 401. */
export function whenRefused(listener: (error: ApiError) => void): void {
  onRefused = listener;
}

/** How far the server's clock is ahead of this machine's; 0 while they agree to two seconds. Milliseconds. */
export function clockOffsetMs(): number {
  return offsetMs;
}

/** A path that carries a signed token; no stream is named so. */
const isSigned = (path: string): boolean => path.startsWith('/t/');

/** The headers that carry the credential to a path of the server; none to one that carries a token by itself, which is another's (G9). */
export function credentialHeaders(path: string): Record<string, string> {
  return credential === undefined || isSigned(path) ? {} : { authorization: `Bearer ${credential}` };
}

/** A request with the credential; a path that carries a signed one (`/t/…`) goes without ours, and what it is refused says nothing of ours. @throws ApiError */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const limit = AbortSignal.timeout(ANSWER_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit;
  let response: Response;
  try {
    response = await fetch(path, { ...init, signal, headers: { ...credentialHeaders(path), ...init.headers } });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError('UNREACHABLE', 'The server does not answer.', 0);
  }
  learnOffset(response.headers.get('date'));
  if (response.ok) return response;
  const error = await errorOf(response);
  if (response.status === 401 && !isSigned(path)) onRefused(error);
  throw error;
}

function learnOffset(date: string | null): void {
  if (date === null) return;
  // Cut to a second, and older by the way here.
  const found = Date.parse(date) + 500 - Date.now();
  if (!Number.isNaN(found)) offsetMs = Math.abs(found) > 2000 ? found : 0;
}

async function errorOf(response: Response): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    return new ApiError(error.code, error.message, response.status);
  } catch {
    return new ApiError('ANSWER_INVALID', `The server answered with status ${response.status}.`, response.status);
  }
}

/** @throws ApiError also where what is answered is not the server's, a proxy's page or half an answer */
async function bodyOf<T>(response: Response, signal?: AbortSignal): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (signal?.aborted) throw error;
    if (!(error instanceof SyntaxError)) throw new ApiError('UNREACHABLE', 'The server does not answer.', 0);
    throw new ApiError('ANSWER_INVALID', 'What was answered is not what this server answers: something is in between.', response.status);
  }
}

/** Asks for JSON. @throws ApiError */
export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return bodyOf<T>(await request(path, signal ? { signal } : {}), signal);
}

async function send<T>(method: string, path: string, body?: unknown): Promise<T> {
  const json = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await request(path, { method, ...json });
  return response.status === 204 ? (undefined as T) : bodyOf<T>(response);
}

const of = (code: string): string => encodeURIComponent(code);
const time = (ms: number): string => encodeURIComponent(new Date(ms).toISOString());

/** Everything the page asks for. Times are UTC milliseconds. All reject with {@link ApiError}. */
export const api = {
  whoami: (): Promise<Grant> => getJson('/api/v1/whoami'),
  system: (): Promise<System> => getJson('/api/v1/system'),

  streams: async (): Promise<Stream[]> => (await getJson<{ streams: Stream[] }>('/api/v1/streams')).streams,
  stream: (code: string): Promise<Stream> => getJson(`/api/v1/streams/${of(code)}`),
  putStream: (code: string, edit: StreamEdit): Promise<Stream> => send('PUT', `/api/v1/streams/${of(code)}`, edit),
  patchStream: (code: string, edit: StreamEdit): Promise<Stream> => send('PATCH', `/api/v1/streams/${of(code)}`, edit),
  deleteStream: (code: string): Promise<void> => send('DELETE', `/api/v1/streams/${of(code)}`),
  startStream: (code: string): Promise<unknown> => send('POST', `/api/v1/streams/${of(code)}/start`),
  stopStream: (code: string): Promise<unknown> => send('POST', `/api/v1/streams/${of(code)}/stop`),
  probe: (source: string, signal?: AbortSignal): Promise<ProbeReport> =>
    getJson(`/api/v1/probe?source=${encodeURIComponent(source)}`, signal),

  archives: async (): Promise<ArchiveLine[]> => (await getJson<{ recordings: ArchiveLine[] }>('/api/v1/recordings')).recordings,
  timeline: async (code: string, fromMs: number, toMs: number, points: number, signal?: AbortSignal): Promise<TimelineAnswer> => {
    const path = `/api/v1/recordings/${of(code)}/timeline?from=${time(fromMs)}&to=${time(toMs)}&points=${points}`;
    const answer = await getJson<TimelineAnswer>(path, signal);
    // What is drawn is bounded by it.
    if (answer.gaps.length > points || answer.errors.length > points)
      throw new ApiError('ANSWER_INVALID', 'More was answered than was asked for.', 200);
    return answer;
  },

  deleteArchive: (code: string): Promise<{ segment_count: number; size_bytes: number }> => send('DELETE', `/api/v1/recordings/${of(code)}`),

  keeps: async (code: string): Promise<Keep[]> => (await getJson<{ keeps: Keep[] }>(`/api/v1/recordings/${of(code)}/keeps`)).keeps,
  makeKeep: (code: string, name: string, fromMs: number, toMs: number): Promise<Keep> =>
    send('POST', `/api/v1/recordings/${of(code)}/keeps`, {
      name,
      from: new Date(fromMs).toISOString(),
      to: new Date(toMs).toISOString(),
    }),
  removeKeep: (code: string, name: string): Promise<void> => send('DELETE', `/api/v1/recordings/${of(code)}/keeps/${of(name)}`),

  tokens: async (): Promise<Token[]> => (await getJson<{ tokens: Token[] }>('/api/v1/tokens')).tokens,
  makeToken: (token: {
    name: string;
    scopes: readonly Scope[];
    streams: readonly string[];
    expires_at: string | null;
  }): Promise<Token & { token: string }> => send('POST', '/api/v1/tokens', token),
  revokeToken: (id: string): Promise<void> => send('DELETE', `/api/v1/tokens/${of(id)}`),
  /** @param expiresInSec - from now */
  sign: (stream: string, fromMs: number, toMs: number, expiresInSec: number): Promise<SignedLink> =>
    send('POST', '/api/v1/sign', {
      stream,
      from: new Date(fromMs).toISOString(),
      to: new Date(toMs).toISOString(),
      expires_in: expiresInSec,
    }),

  hooks: async (): Promise<Hook[]> => (await getJson<{ hooks: Hook[] }>('/api/v1/hooks')).hooks,
  putHook: (id: string, edit: HookEdit): Promise<Hook> => send('PUT', `/api/v1/hooks/${of(id)}`, edit),
  deleteHook: (id: string): Promise<void> => send('DELETE', `/api/v1/hooks/${of(id)}`),
  testHook: (id: string): Promise<{ status: number; duration_ms: number }> => send('POST', `/api/v1/hooks/${of(id)}/test`),
  retryHook: (id: string): Promise<{ queued: number }> => send('POST', `/api/v1/hooks/${of(id)}/retry`),
};
