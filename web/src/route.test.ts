import fc from 'fast-check';
import { beforeAll, expect, it, vi } from 'vitest';
import type * as Routing from './route';

let parseRoute: typeof Routing.parseRoute;
let routeText: typeof Routing.routeText;

beforeAll(async () => {
  // It follows the address of the page as it is loaded.
  vi.stubGlobal('location', { hash: '' });
  vi.stubGlobal('addEventListener', () => undefined);
  ({ parseRoute, routeText } = await import('./route'));
});

it('reads what it writes (G1)', () => {
  const at = Date.UTC(2026, 10, 22, 3, 12);
  for (const route of [
    { view: 'wall' },
    { view: 'system' },
    { view: 'stream', code: 'sport/1', atMs: at, zoomMs: 600_000, inMs: at, outMs: at + 1 },
    { view: 'stream', code: 'news', atMs: undefined, zoomMs: undefined, inMs: undefined, outMs: undefined },
    { view: 'watch', code: 'news', token: 'abc.d-e_f~', inMs: at, outMs: at + 1000 },
  ] as const) {
    expect(parseRoute(routeText(route))).toEqual(route);
  }
});

it('takes no moment that cannot be asked for and shown with what lies beside it', () => {
  for (const at of ['-271821-04-20T00:00:00.000Z', '%2B275760-09-13T00:00:00.000Z', '1969-12-31T23:59:59Z', 'soon']) {
    expect(parseRoute(`#/s/news?at=${at}&in=${at}&out=${at}`)).toEqual({ view: 'stream', code: 'news' });
    expect(parseRoute(`#/w/news?token=abc&in=2026-11-22&out=${at}`)).toEqual({ view: 'wall' });
  }
});

it('takes no token that would make the path of a request another', () => {
  const link = (token: string): string => parseRoute(`#/w/news?token=${token}&in=2026-11-22&out=2026-11-23`).view;
  expect(link('eyJhbGciOiJFZERTQSJ9.e30.c2ln')).toBe('watch');
  for (const token of ['..', '.', '..%2F..%2Fapi', 'a%2Fb', 'a%3Fb', 'a%23b', 'a%20b', '%00', '']) expect(link(token)).toBe('wall');
});

it('makes of any fragment a route that can be written again', () => {
  const part = fc.oneof(
    fc.string(),
    fc.constantFrom('s', 'w', 'system', 'news', '%', '..', 'at=', 'in=2026', 'out=2027', 'token=a', 'zoom=1e999', '?', '/', '&'),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const route = parseRoute(`#/${parts.join('')}`);
      expect(parseRoute(routeText(route)).view).toBe(route.view);
    }),
  );
});
