/** Why a window cannot be had, and what can be done: the server's words, and ours after them. */
import { ApiError, sentence } from '../../api';

const DO: Readonly<Record<string, string>> = {
  WINDOW_IN_GAP: 'Move a mark out of the gap.',
  WINDOW_TOO_LONG: 'Move the marks nearer together, or raise playback.max_window.',
  WINDOW_EXPIRED: 'It is older than what is kept. Move the marks later.',
  WINDOW_BEFORE_ARCHIVE: 'Recording had not begun. Move the marks later.',
  WINDOW_IN_FUTURE: 'It is there as soon as the end has been recorded.',
  NOTHING_RECORDED: 'Record something first.',
  LIMIT_REACHED: 'Others are taking clips: try again in a moment.',
  TOO_MANY_REQUESTS: 'Try again in a moment.',
  KEEP_EXISTS: 'Choose another name.',
  DISK_FULL: 'Nothing can be kept until there is room.',
  UNREACHABLE: 'Try again when it is back.',
};

/** `The window ends after what is recorded so far. It is there as soon as the end has been recorded.` */
export function windowProblem(error: unknown): string {
  if (!(error instanceof ApiError)) return sentence(error instanceof Error ? error.message : String(error));
  const advice = DO[error.code];
  return advice === undefined ? sentence(error.message) : `${sentence(error.message)} ${advice}`;
}
