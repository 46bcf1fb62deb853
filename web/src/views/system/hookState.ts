/** How a webhook does, in a word and a colour. Pure. */
import type { Hook } from '../../api';
import type { StateTone } from '../../parts/streamState';

/** The last that came of it decides: an error is over when something was taken after it. */
export function hookState({ last_error: error, last_success_at: success, dead }: Hook['status']): {
  readonly tone: StateTone;
  readonly word: string;
} {
  const isFailing = error !== null && (success === null || Date.parse(error.at) > Date.parse(success));
  if (isFailing) return { tone: 'bad', word: 'Failing' };
  if (dead > 0) return { tone: 'waiting', word: 'Some were given up' };
  return success === null ? { tone: 'off', word: 'Nothing sent yet' } : { tone: 'ok', word: 'Working' };
}
