import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServerEvent } from '../../api/types';
import {
  byDay,
  eventItem,
  gapItem,
  itemLength,
  itemsOf,
  kindsText,
  nearestKey,
  newestFirst,
  openGapItem,
  withEvent,
  type HappenedItem,
} from './whatHappened';

const START = Date.UTC(2026, 10, 22, 3, 12, 7);
const at = (ms: number): string => new Date(START + ms).toISOString();
const event = (type: ServerEvent['type'], ms: number, more: Partial<ServerEvent> = {}): ServerEvent => ({
  type,
  at: at(ms),
  stream_code: 'news',
  ...more,
});
const told = (found: HappenedItem | undefined): HappenedItem => {
  if (found === undefined) throw new Error('it is not listed');
  return found;
};

describe('G6: gaps and errors in words', () => {
  it('tells a gap, and plays from before it', () => {
    const [item] = itemsOf({ gaps: [{ from: at(0), to: at(2500), reason: 'signal', count: 1 }], errors: [] });
    expect(item).toMatchObject({ kind: 'gap', words: 'Gap: no signal', detail: '', atMs: START, toMs: START + 2500, seekMs: START - 3000 });
    expect(itemLength(told(item), START)).toBe('2.5 s');
  });

  it('says of gaps that are told together how many they are', () => {
    const [item] = itemsOf({ gaps: [{ from: at(0), to: at(60_000), reason: 'disk', count: 1200 }], errors: [] });
    expect(item?.words).toBe('1,200 gaps');
    expect(item?.detail).toBe('the longest: it could not be stored; zoom in on the timeline to see each');
  });

  it('tells errors by kind, and plays from their beginning', () => {
    const told = (kinds: Record<string, number>) => itemsOf({ gaps: [], errors: [{ from: at(0), to: at(4000), count: 1, kinds }] })[0];
    expect(told({ continuity: 12, scrambled: 1, sync_bytes: 0 })).toMatchObject({
      kind: 'errors',
      tone: 'waiting',
      words: 'Errors',
      detail: '12 breaks in continuity, 1 scrambled packet',
      seekMs: START,
    });
    expect(told({ lost_bytes: 5, continuity: 1 })?.words).toBe('Errors');
    expect(kindsText({ something_new: 3 })).toEqual(['3 something_new']);
  });

  it('does not call the wait for a first keyframe an error', () => {
    const [item] = itemsOf({ gaps: [], errors: [{ from: at(0), to: at(4000), count: 1, kinds: { lost_bytes: 79_524, continuity: 0 } }] });
    expect(item).toMatchObject({ tone: 'off', words: 'Waited for a keyframe', detail: '79,524 bytes left out before a keyframe' });
  });

  it('tells the gap that goes on, which grows', () => {
    const item = openGapItem({ from: at(0), reason: 'restart' });
    expect(item).toMatchObject({ goesOn: true, toMs: undefined, words: 'Gap: the recorder was not running', seekMs: START - 3000 });
    expect(itemLength(item, START + 65_000)).toBe('1 min 5 s so far');
  });
});

describe('G6: events in words', () => {
  it('lists what a stream does, and no segments', () => {
    expect(eventItem(event('recording.started', 0))).toMatchObject({ words: 'Recording started', tone: 'ok', atMs: START });
    expect(eventItem(event('recording.stopped', 0))).toMatchObject({ words: 'Recording stopped' });
    const failed = event('recording.failed', 0, { error: { code: 'DISK_FULL', message: 'the disk is full' } });
    expect(eventItem(failed)).toMatchObject({ words: 'Recording failed', detail: 'the disk is full', tone: 'bad' });
    const healed = event('archive.healed', 0, { healed: [{ found: 'torn line', done: 'cut off', file: 'playlist.m3u8', detail: '' }] });
    expect(eventItem(healed)?.detail).toBe('torn line: cut off');
    expect(eventItem(event('source.ended', 0, { reason: 'end', error: null }))).toMatchObject({ words: 'The source ended', detail: 'end' });
    for (const type of ['segment.written', 'segment.pruned', 'gap.opened', 'gap.closed', 'reset'] as const)
      expect(eventItem(event(type, 0))).toBeUndefined();
  });

  it('tells once what is told again and again, with its last time', () => {
    const failed = (ms: number): HappenedItem => told(eventItem(event('recording.failed', ms, { error: { code: 'X', message: 'no' } })));
    const events = [0, 1000, 2000].reduce<readonly HappenedItem[]>((known, ms) => withEvent(known, failed(ms)), []);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ atMs: START, toMs: START + 2000 });
    expect(withEvent(events, told(eventItem(event('recording.started', 3000))))).toHaveLength(2);
  });

  it('remembers 500', () => {
    let events: readonly HappenedItem[] = [];
    for (let i = 0; i < 600; i++) events = withEvent(events, { ...gapItem(i, i + 1, 'signal'), words: String(i) });
    expect(events).toHaveLength(500);
    expect(events[0]?.words).toBe('599');
  });
});

describe('G6: the list', () => {
  it('has each once, the newest first, as it was told last', () => {
    const [a, b] = [gapItem(START, START + 1000, 'signal'), gapItem(START + 5000, START + 9000, 'signal')];
    const longer = gapItem(START, START + 2000, 'signal');
    expect(newestFirst([a, b], [longer])).toEqual([b, longer]);
  });

  it('is told by days of the zone', () => {
    const midnight = Date.UTC(2026, 10, 22);
    const items = newestFirst([midnight - 1, midnight, midnight + 1].map((ms) => gapItem(ms, ms + 1000, 'signal')));
    expect(byDay(items, 'utc').map(({ day, items: { length } }) => [day, length])).toEqual([
      ['Sun 22 Nov 2026', 2],
      ['Sat 21 Nov 2026', 1],
    ]);
    expect(byDay([], 'utc')).toEqual([]);
  });

  it('marks what is nearest to the position', () => {
    const [a, b] = [gapItem(1000, 2000, 'signal'), gapItem(8000, 9000, 'signal')];
    const key = (ms: number): string | undefined => nearestKey([b, a], ms);
    expect([key(0), key(1500), key(4900), key(5100), key(99_999)]).toEqual([a.key, a.key, a.key, b.key, b.key]);
    expect(nearestKey([], 0)).toBeUndefined();
    const open = openGapItem({ from: new Date(5000).toISOString(), reason: 'signal' });
    expect(nearestKey([open, a], 1e9)).toBe(open.key);
  });

  it('marks nothing that is further away than another', () => {
    const items = fc.array(fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 50 })), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(items, fc.integer({ min: -10, max: 1100 }), (given, ms) => {
        const list = newestFirst(given.map(([from, length]) => gapItem(from, from + length, 'signal')));
        const away = ({ atMs, toMs }: HappenedItem): number => Math.max(atMs - ms, ms - (toMs ?? atMs), 0);
        const found = told(list.find(({ key }) => key === nearestKey(list, ms)));
        expect(away(found)).toBe(Math.min(...list.map(away)));
      }),
    );
  });
});
