/** How the system view words disks and webhooks, and what its dialogs send (G12). */
import { describe, expect, it } from 'vitest';
import type { Hook, System } from '../../api';
import { expiryOf, hookEditOf, hookFormOf, hookProblems, newSecret, patternsOf, patternsProblem } from './accessForm';
import { diskParts, forecastOf } from './diskText';
import { hookState } from './hookState';

type Disk = System['disks'][number];
const NOW = Date.UTC(2026, 10, 22);
const DAY = 86_400_000;
const disk = (fields: Partial<Disk>): Disk => ({
  ...{ name: 'dvr', free_bytes: 400, total_bytes: 1000, reserved_bytes: 0, streams: 1, archive_bytes: 500, write_bytes_per_sec: 1 },
  ...{ forecast: 'unknown', full_at: null, held_bytes: null },
  ...fields,
});
const full = (days: number, reserved = 0): Disk =>
  disk({ forecast: 'fills', full_at: new Date(NOW + days * DAY).toISOString(), reserved_bytes: reserved });

describe('G12: when a disk will be full', () => {
  it.each([
    [full(1), 'bad', 'Full in 1 d, on Mon 23 Nov 2026, at today’s rate.'],
    [full(12.5), 'waiting', 'Full in 12 d 12 h, on Fri 4 Dec 2026, at today’s rate.'],
    [full(60), 'ok', 'Full in 60 d, on Thu 21 Jan 2027, at today’s rate.'],
    [full(1, 10), 'waiting', 'Full but for what is to stay free in 1 d, on Mon 23 Nov 2026: the oldest segments go from then on.'],
    [full(0), 'bad', 'Full.'],
    [full(0, 10), 'waiting', 'Full but for what is to stay free: the oldest segments go.'],
    [disk({ forecast: 'holds', held_bytes: 1.2e12 }), 'ok', 'Never full: retention holds it at 1.20 TB.'],
    [disk({ forecast: 'holds' }), 'ok', 'Never full: retention holds it.'],
    [disk({}), 'off', 'When it will be full is not known yet.'],
  ])('%#', (given, tone, text) => expect(forecastOf(given, NOW, 'utc')).toEqual({ tone, text }));

  it('the parts are the whole, also where one was counted before another', () => {
    expect(diskParts(disk({ reserved_bytes: 100 }))).toEqual({ archive: 0.5, other: 0.1, free: 0.3, reserved: 0.1 });
    expect(diskParts(disk({ reserved_bytes: 900, archive_bytes: 900 }))).toEqual({ archive: 0.6, other: 0, free: 0, reserved: 0.4 });
    expect(diskParts(disk({ total_bytes: 0 }))).toBeUndefined();
  });
});

describe('tokens', () => {
  it('patterns come however they are typed, each once', () => {
    expect(patternsOf(' news, sport/*\nnews ')).toEqual(['news', 'sport/*']);
    expect(patternsProblem(['news', 'sport/*'])).toBeUndefined();
    expect(patternsProblem(['news', 'spört'])).toContain('“spört”');
  });
  it('end so many days from now, or never', () => {
    expect(expiryOf(0, NOW)).toBeNull();
    expect(expiryOf(7, NOW)).toBe('2026-11-29T00:00:00.000Z');
  });
});

describe('webhooks', () => {
  const status = { queued: 0, dead: 0, sent: 0, failed: 0, dropped: 0, last_success_at: null, last_error: null };
  const hook: Hook = {
    ...{
      id: 'desk',
      url: 'https://***@desk.example/in',
      events: ['gap.opened'],
      streams: ['news'],
      has_secret: true,
      batch: 5,
      batch_ms: null,
    },
    ...{ restricted: true, status },
  };

  it('one that is saved as it was opened is as it was: what is not shown goes along, the secret is not said', () => {
    const form = hookFormOf(hook);
    expect(hookProblems(form, ['desk'], hook)).toEqual({});
    const { url, events, streams, batch, batch_ms, restricted } = hook;
    expect(hookEditOf(form, hook)).toEqual({ url, events, streams, batch, batch_ms, restricted });
    expect(hookEditOf({ ...form, dropsSecret: true, allEvents: true, streams: '' }, hook)).toMatchObject({
      secret: null,
      events: null,
      streams: null,
    });
  });
  it('a new one needs a name of its own and an address', () => {
    const form = hookFormOf();
    expect(Object.keys(hookProblems(form, [])).sort()).toEqual(['id', 'url']);
    const good = { ...form, id: 'desk', url: 'https://desk.example/in' };
    expect(hookProblems(good, [])).toEqual({});
    expect(hookProblems(good, ['desk'])).toHaveProperty('id');
    expect(hookProblems({ ...good, url: 'https://***@x/' }, [])).toHaveProperty('url');
    expect(Object.keys(hookProblems({ ...good, allEvents: false, events: [], secret: 'short', streams: 'ü' }, [])).sort()).toEqual([
      'events',
      'secret',
      'streams',
    ]);
  });
  it('a secret is as Standard Webhooks has them, and another each time', () => {
    expect(newSecret()).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
    expect(newSecret()).not.toBe(newSecret());
  });
  it('the last that came of it tells how it does', () => {
    const error = { at: '2026-01-01T00:00:01Z', message: 'x' };
    expect(hookState(status).word).toBe('Nothing sent yet');
    expect(hookState({ ...status, last_error: error }).word).toBe('Failing');
    expect(hookState({ ...status, last_error: error, last_success_at: '2026-01-01T00:00:00Z' }).word).toBe('Failing');
    expect(hookState({ ...status, last_error: error, last_success_at: '2026-01-01T00:00:02Z' }).word).toBe('Working');
    expect(hookState({ ...status, dead: 1, last_success_at: '2026-01-01T00:00:02Z' }).word).toBe('Some were given up');
  });
});
