/** Why a link shows nothing, for whoever was sent it and can do nothing about it but ask. */
import { sentence } from '../../api';

/** What is told. */
export interface LinkProblem {
  readonly title: string;
  readonly text: string;
  /** It may go by itself. */
  readonly isPassing: boolean;
}

const ASK = 'Ask whoever sent it for another one.';
const GONE = { title: 'What this link showed is gone', text: 'The recording of that time is not kept any more.', isPassing: false };

const KNOWN: Readonly<Record<string, LinkProblem>> = {
  TOKEN_EXPIRED: { title: 'This link has expired', text: ASK, isPassing: false },
  UNAUTHENTICATED: {
    title: 'This link opens nothing',
    text: `It may have been cut short on its way, or taken back. ${ASK}`,
    isPassing: false,
  },
  FORBIDDEN: {
    title: 'This link does not open this',
    text: `It is for another time, another stream or another place. ${ASK}`,
    isPassing: false,
  },
  WINDOW_EXPIRED: GONE,
  STREAM_NOT_FOUND: GONE,
  NOTHING_RECORDED: GONE,
  WINDOW_BEFORE_ARCHIVE: { title: 'Nothing was recorded then', text: 'Recording began later.', isPassing: false },
  WINDOW_IN_GAP: { title: 'Nothing was recorded then', text: 'There is a gap in the recording for all of this time.', isPassing: false },
  WINDOW_IN_FUTURE: { title: 'This has not been recorded yet', text: 'Come back when its time is over.', isPassing: true },
  UNREACHABLE: { title: 'The server does not answer', text: 'Try again in a moment.', isPassing: true },
};

/** @param error - with the server's code and words */
export function linkProblem({ code, message }: { readonly code: string; readonly message: string }): LinkProblem {
  return KNOWN[code] ?? { title: 'This cannot be shown', text: sentence(message), isPassing: true };
}
