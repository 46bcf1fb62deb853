/** The keys of a stream's page (docs/design/page.md, G7): which there are, and what each means. Pure. The timeline's own are its own while it has the focus. */

/** What a key asks for. */
export type PlayerAction =
  /** On, or back, from what is shown. */
  | { readonly kind: 'skip'; readonly byMs: number }
  /** One frame, paused. */
  | { readonly kind: 'step'; readonly frames: 1 | -1 }
  | {
      readonly kind:
        | 'play'
        | 'live'
        | 'mute'
        | 'full'
        | 'previousGap'
        | 'nextGap'
        | 'in'
        | 'out'
        | 'faster'
        | 'slower'
        /** Into the field for a date and time. */
        | 'moment'
        /** The list of keys. */
        | 'keys';
    };

/** What of a KeyboardEvent counts, and of what has the focus. */
export interface KeyPress {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly defaultPrevented: boolean;
  readonly focus: { readonly tag: string; readonly role: string | null; readonly isEditable: boolean } | undefined;
}

/** A skip, and one with shift; milliseconds. */
export const SKIP_MS = 10_000;
export const LONG_SKIP_MS = 60_000;

/** What the list of keys says. */
export const KEYS: readonly { readonly keys: readonly string[]; readonly what: string }[] = [
  { keys: ['Space', 'k'], what: 'play, pause' },
  { keys: ['j', 'l'], what: '10 seconds back, on; with Shift a minute' },
  { keys: [',', '.'], what: 'one frame back, on' },
  { keys: ['<', '>'], what: 'slower, faster' },
  { keys: ['0', 'End'], what: 'live' },
  { keys: ['[', ']'], what: 'the previous, the next gap' },
  { keys: ['i', 'o'], what: 'mark where a clip begins, ends' },
  { keys: ['g'], what: 'go to a date and time' },
  { keys: ['m'], what: 'sound off, on' },
  { keys: ['f'], what: 'full screen' },
  { keys: ['?'], what: 'this list' },
];

const ACTIONS = new Map<string, PlayerAction>([
  [' ', { kind: 'play' }],
  ['k', { kind: 'play' }],
  [',', { kind: 'step', frames: -1 }],
  ['.', { kind: 'step', frames: 1 }],
  ['<', { kind: 'slower' }],
  ['>', { kind: 'faster' }],
  ['0', { kind: 'live' }],
  ['End', { kind: 'live' }],
  ['[', { kind: 'previousGap' }],
  [']', { kind: 'nextGap' }],
  ['i', { kind: 'in' }],
  ['o', { kind: 'out' }],
  ['g', { kind: 'moment' }],
  ['m', { kind: 'mute' }],
  ['f', { kind: 'full' }],
  ['?', { kind: 'keys' }],
]);
const BACK = new Set(['j', 'ArrowLeft']);
const ON = new Set(['l', 'ArrowRight']);
const TYPED_INTO = new Set(['INPUT', 'SELECT', 'TEXTAREA']);
/** The space bar presses what has the focus. */
const PRESSED = new Set(['BUTTON', 'A', 'SUMMARY']);

/** @returns undefined for a key that is not the page's, or is somebody else's just now */
export function playerAction({ key, shiftKey, ctrlKey, metaKey, altKey, defaultPrevented, focus }: KeyPress): PlayerAction | undefined {
  // A bracket is typed with AltGr on many keyboards, which some systems tell as both.
  const isAltGr = ctrlKey && altKey && (key === '[' || key === ']');
  if (defaultPrevented || metaKey || ((ctrlKey || altKey) && !isAltGr)) return undefined;
  if (focus && (focus.isEditable || TYPED_INTO.has(focus.tag))) return undefined;
  if (key === ' ' && focus && PRESSED.has(focus.tag)) return undefined;
  if (focus?.role === 'slider' && (key.startsWith('Arrow') || key === 'End')) return undefined;
  const name = key.length === 1 ? key.toLowerCase() : key;
  const byMs = shiftKey ? LONG_SKIP_MS : SKIP_MS;
  if (BACK.has(name)) return { kind: 'skip', byMs: -byMs };
  if (ON.has(name)) return { kind: 'skip', byMs };
  return ACTIONS.get(name);
}
