import { describe, expect, it } from 'vitest';
import { KEYS, playerAction, type KeyPress } from './keys';

const NOTHING_HELD = { shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, defaultPrevented: false, focus: undefined };
const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({ key, ...NOTHING_HELD, ...more });
const focus = (tag: string, role: string | null = null, isEditable = false): Partial<KeyPress> => ({ focus: { tag, role, isEditable } });

describe('playerAction', () => {
  it('plays, skips, steps and marks', () => {
    expect(playerAction(press(' '))).toEqual({ kind: 'play' });
    expect(playerAction(press('j'))).toEqual({ kind: 'skip', byMs: -10_000 });
    expect(playerAction(press('L', { shiftKey: true }))).toEqual({ kind: 'skip', byMs: 60_000 });
    expect(playerAction(press('ArrowLeft'))).toEqual({ kind: 'skip', byMs: -10_000 });
    expect(playerAction(press('.'))).toEqual({ kind: 'step', frames: 1 });
    expect(playerAction(press('I'))).toEqual({ kind: 'in' });
    expect(playerAction(press('?', { shiftKey: true }))).toEqual({ kind: 'keys' });
    expect(playerAction(press('x'))).toBeUndefined();
    expect(playerAction(press('toString'))).toBeUndefined();
  });

  it('means all that the list of keys tells', () => {
    for (const key of KEYS.flatMap(({ keys }) => keys))
      expect([key, playerAction(press(key === 'Space' ? ' ' : key))]).not.toEqual([key, undefined]);
  });

  it('takes none from who types, from the browser, or from what has taken it', () => {
    for (const tag of ['INPUT', 'SELECT', 'TEXTAREA']) expect(playerAction(press('k', focus(tag)))).toBeUndefined();
    expect(playerAction(press('k', focus('DIV', null, true)))).toBeUndefined();
    for (const held of ['ctrlKey', 'metaKey', 'altKey']) expect(playerAction(press('f', { [held]: true }))).toBeUndefined();
    expect(playerAction(press('k', { defaultPrevented: true }))).toBeUndefined();
  });

  it('a bracket that is typed with AltGr is a bracket', () => {
    expect(playerAction(press('[', { ctrlKey: true, altKey: true }))).toEqual({ kind: 'previousGap' });
  });

  it('leaves Space to a button, and arrows to the timeline', () => {
    expect(playerAction(press(' ', focus('BUTTON')))).toBeUndefined();
    expect(playerAction(press('k', focus('BUTTON')))).toEqual({ kind: 'play' });
    expect(playerAction(press('ArrowLeft', focus('DIV', 'slider')))).toBeUndefined();
    expect(playerAction(press(' ', focus('DIV', 'slider')))).toEqual({ kind: 'play' });
  });
});
