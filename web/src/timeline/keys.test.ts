import { describe, expect, it } from 'vitest';
import { keyAction } from './keys';

const press = (key: string, held: { shiftKey?: boolean; ctrlKey?: boolean; altKey?: boolean; metaKey?: boolean } = {}) =>
  keyAction({ key, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...held });

describe('the keys of the timeline (G6)', () => {
  it('move the position', () => {
    expect(press('ArrowLeft')).toEqual({ kind: 'by', ms: -10_000 });
    expect(press('ArrowRight', { shiftKey: true })).toEqual({ kind: 'by', ms: 60_000 });
    expect(press('ArrowRight', { ctrlKey: true })).toEqual({ kind: 'step', sign: 1 });
    expect(press('PageUp')).toEqual({ kind: 'page', sign: 1 });
    expect(press('PageDown')).toEqual({ kind: 'page', sign: -1 });
    expect(press('Home')).toEqual({ kind: 'oldest' });
    expect(press('End')).toEqual({ kind: 'live' });
    expect(press('[')).toEqual({ kind: 'gap', which: 'previous' });
    expect(press(']')).toEqual({ kind: 'gap', which: 'next' });
  });

  it('zoom', () => {
    expect(press('+')).toEqual({ kind: 'zoom', factor: 0.5 });
    expect(press('=')).toEqual({ kind: 'zoom', factor: 0.5 });
    expect(press('-')).toEqual({ kind: 'zoom', factor: 2 });
  });

  it('leave the browser and the player theirs', () => {
    for (const key of ['Tab', 'i', 'o', ' ', 'l', 'ArrowUp', 'Escape']) expect(press(key)).toBeUndefined();
    expect(press('+', { ctrlKey: true })).toBeUndefined();
    expect(press('ArrowLeft', { altKey: true })).toBeUndefined();
    expect(press('ArrowLeft', { metaKey: true })).toBeUndefined();
  });
});
