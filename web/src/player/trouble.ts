/** What an error of hls.js means for who plays, and what is done about it (docs/design/page.md, G7). Pure: what it looks at is the part of hls.js's ErrorData that says so. */
import { sentence } from '../api';
import type { PlayerProblem } from './contract';

/**
 * `wait`: asked again in a while, from where it was; `live`, `oldest`, `next`: to be played from there instead (`next`: from the first media after what was asked for);
 * `recover`: the decoder is begun anew; `give up`: this browser cannot play it.
 */
export type Remedy = 'wait' | 'live' | 'oldest' | 'next' | 'recover' | 'give up';

/** An error, understood. */
export interface Trouble {
  readonly problem: PlayerProblem;
  readonly remedy: Remedy;
}

/** What of hls.js's ErrorData is looked at. */
export interface PlaybackError {
  readonly type: string;
  readonly details: string;
  readonly fatal: boolean;
  readonly reason?: string | undefined;
  readonly mimeType?: string | undefined;
  readonly error?: { readonly message: string } | undefined;
  readonly response?: { readonly code?: number | undefined } | undefined;
  /** The XMLHttpRequest. */
  readonly networkDetails?: unknown;
}

/** Asked again so long after, at each time without success; the last holds. */
const WAITS_MS: readonly number[] = [1000, 2000, 4000, 8000];

/** How long to wait before the next try. @param tries - how many have failed */
export const waitMs = (tries: number): number => WAITS_MS[Math.min(Math.max(0, tries - 1), WAITS_MS.length - 1)] ?? 8000;

const UNREACHABLE: PlayerProblem = { code: 'UNREACHABLE', message: 'The server does not answer. It is asked again every few seconds.' };
const REMEDIES: Readonly<Record<string, Remedy>> = {
  WINDOW_IN_GAP: 'next',
  WINDOW_EXPIRED: 'oldest',
  WINDOW_BEFORE_ARCHIVE: 'oldest',
  WINDOW_IN_FUTURE: 'live',
};
const NOTHING_YET = 'Nothing is recorded of this stream yet. It begins to play as soon as there is something.';

/** What an error means. */
export function troubleOf(error: PlaybackError, playlistUrl: string): Trouble {
  if (isCodecTrouble(error)) {
    const name = codecName(`${error.mimeType ?? ''} ${error.reason ?? ''} ${error.error?.message ?? ''}`);
    return { problem: codecProblem(name ?? 'the codec of this stream', playlistUrl), remedy: 'give up' };
  }
  if (error.type !== 'networkError') {
    return { problem: { code: 'MEDIA_FAILED', message: 'This part could not be decoded. It is tried again.' }, remedy: 'recover' };
  }
  const problem = serverProblem(error);
  return { problem, remedy: REMEDIES[problem.code] ?? 'wait' };
}

/** What the server says of a request that failed. */
function serverProblem({ response, networkDetails, details }: PlaybackError): PlayerProblem {
  const status = response?.code ?? 0;
  if (details === 'levelEmptyError') return { code: 'NOTHING_RECORDED', message: NOTHING_YET };
  const said = saidIn(networkDetails);
  if (said?.code === 'NOTHING_RECORDED') return { code: said.code, message: NOTHING_YET };
  if (said) return said;
  // A proxy in front answers for a server that is not there.
  if (isPassing(status)) return UNREACHABLE;
  return { code: 'ANSWER_INVALID', message: `The server answered with status ${status}.` };
}

function saidIn(networkDetails: unknown): PlayerProblem | undefined {
  try {
    const { error } = JSON.parse(textOf(networkDetails)) as { error: PlayerProblem };
    return typeof error.code === 'string' && typeof error.message === 'string'
      ? { code: error.code, message: sentence(error.message) }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The body of a request, of a playlist (text) or a segment (bytes). */
function textOf(request: unknown): string {
  const asked = request as XMLHttpRequest;
  return asked.responseType === 'arraybuffer' ? new TextDecoder().decode(asked.response as ArrayBuffer) : asked.responseText;
}

function isCodecTrouble({ details, fatal, error }: PlaybackError): boolean {
  if (details === 'bufferIncompatibleCodecsError' || details === 'manifestIncompatibleCodecsError' || details === 'bufferAddCodecError')
    return true;
  // Streams that hls.js's demuxer has no name for: MPEG-2 alone, and the like.
  return fatal && details === 'fragParsingError' && /no audio or video|unsupported|not support/i.test(error?.message ?? '');
}

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/hvc1|hev1|hevc|h\.?265/i, 'H.265 (HEVC)'],
  [/ec-3|e-?ac-?3/i, 'Dolby Digital Plus (E-AC-3)'],
  [/ac-3|ac-?3/i, 'Dolby Digital (AC-3)'],
  [/mp4v\.6|mpeg-?2/i, 'MPEG-2 video'],
  [/\bmp[12]\b/i, 'MPEG audio of layer I or II'],
  [/avc1|avc3|h\.?264/i, 'this kind of H.264'],
];

/** The name of a codec that is spoken of in words or a MIME type. */
export function codecName(text: string): string | undefined {
  return NAMES.find(([pattern]) => pattern.test(text))?.[1];
}

const INSTEAD = 'Mark a clip and download it, or open the stream in VLC (Media, Open Network Stream):';

/** What cannot be played, and what can be done instead. @param name - of the codec */
export function codecProblem(name: string, playlistUrl: string): PlayerProblem {
  return { code: 'CODEC_UNSUPPORTED', message: `This browser does not play ${name}. ${INSTEAD} ${playlistUrl}` };
}

/** A server that is restarted answers nothing at all, or a proxy answers for it; what it refuses (4xx) it goes on to refuse. */
export const isPassing = (status: number): boolean => status === 0 || status >= 500;

/** Whether the server was asked and did not answer, rather than the question given up. */
export const isOutage = ({ type, details, response }: PlaybackError): boolean =>
  type === 'networkError' && (details.endsWith('TimeOut') || (response?.code !== undefined && isPassing(response.code)));
