/** What the server knows of a clip: how large its file is, from when to when that reaches, and what is missing in it. */
import { ApiError, archiveTsUrl, request, withToken } from '../../api';
import type { LoadTimeline } from '../../timeline/contract';
import { gapsWithin, type Clip, type ClipGaps } from './clip';

/** So many gaps of a clip are told apart; more are told together. */
const GAPS = 1000;

/** What a clip's file holds. */
export interface ClipFile {
  readonly sizeBytes: number;
  /** How long it plays: from the keyframe before the clip to the one after it, without gaps. */
  readonly playsMs: number;
}

/**
 * Asks for a clip's file without taking it.
 * @param token - a signed one, in the place of the page's own credential
 * @throws ApiError with the server's code
 */
export async function clipFile(code: string, { fromMs, toMs }: Clip, signal: AbortSignal, token?: string): Promise<ClipFile> {
  const plain = archiveTsUrl(code, fromMs, toMs);
  const url = token === undefined ? plain : withToken(token, plain);
  let response: Response;
  try {
    response = await request(url, { method: 'HEAD', signal });
  } catch (error) {
    // An answer to HEAD says its status alone: the words come with GET, which is not read where it goes well by now.
    if (!(error instanceof ApiError) || error.code !== 'ANSWER_INVALID') throw error;
    response = await request(url, { signal });
    await response.body?.cancel();
  }
  return { sizeBytes: Number(response.headers.get('content-length')), playsMs: 1000 * Number(response.headers.get('x-content-duration')) };
}

/** The gaps in a clip. @throws ApiError */
export async function clipGaps(load: LoadTimeline, clip: Clip, signal: AbortSignal): Promise<ClipGaps> {
  return gapsWithin(await load(clip.fromMs, clip.toMs, GAPS, signal), clip);
}
