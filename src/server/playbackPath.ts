/** Takes the URL of a playback request apart. The one place that knows how stream and file lie in a path. */

/** What a playback URL names. */
export interface PlaybackPath {
  /** What should be a stream code; not checked. */
  readonly code: string;
  /** What is asked of the stream: the last element of the path, such as `index.m3u8`. */
  readonly name: string;
}

/**
 * The parts of a decoded path without its leading slash; undefined when it cannot be of a stream. Codes hold slashes, so that the last element
 * is the name and all before it is the code.
 */
export function splitPlaybackPath(path: string): PlaybackPath | undefined {
  const slash = path.lastIndexOf('/');
  if (slash <= 0 || slash === path.length - 1) return undefined;
  return { code: path.slice(0, slash), name: path.slice(slash + 1) };
}
