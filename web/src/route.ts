/** Where the page is, in the fragment (docs/design/page.md, G1): parsed and written, and followed by a signal. Nothing of it ever reaches a server. */
import { signal, type ReadonlySignal } from '@preact/signals';

/** A view, and what of it can be linked to. Times are UTC milliseconds. */
export type Route =
  | { readonly view: 'wall' }
  | { readonly view: 'system' }
  /** A stream; without `atMs` live. `zoomMs` is how much the timeline shows. */
  | {
      readonly view: 'stream';
      readonly code: string;
      readonly atMs?: number | undefined;
      readonly zoomMs?: number | undefined;
      readonly inMs?: number | undefined;
      readonly outMs?: number | undefined;
    }
  /** A window for whoever has a signed token. */
  | { readonly view: 'watch'; readonly code: string; readonly token: string; readonly inMs: number; readonly outMs: number };

const WALL: Route = { view: 'wall' };

/** Moments of archives: a Date tells a little more, but not what lies beside its ends, which are asked for and shown as well. */
const [OLDEST_MS, NEWEST_MS] = [0, Date.UTC(9999, 0)];
/** As they can stand in a path (docs/design/door.md, D4): with anything else the path is another. */
const TOKEN = /^[A-Za-z0-9_.~-]*[A-Za-z0-9_~-][A-Za-z0-9_.~-]*$/;

/** What a fragment (with or without `#`) means; the wall where it means nothing. */
export function parseRoute(fragment: string): Route {
  const [path = '', query = ''] = fragment.replace(/^#/, '').split('?');
  const words = path.split('/').filter((word) => word !== '');
  const asked = new URLSearchParams(query);
  const moment = (name: string): number | undefined => {
    const ms = Date.parse(asked.get(name) ?? '');
    return ms >= OLDEST_MS && ms <= NEWEST_MS ? ms : undefined;
  };
  const [view, ...rest] = words;
  const code = rest.join('/');
  if (view === 'system' && code === '') return { view };
  if (!/^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/.test(code)) return WALL;
  if (view === 's') {
    const zoom = Number(asked.get('zoom') ?? NaN);
    return {
      view: 'stream',
      code,
      atMs: moment('at'),
      zoomMs: zoom > 0 && Number.isFinite(zoom) ? zoom * 1000 : undefined,
      inMs: moment('in'),
      outMs: moment('out'),
    };
  }
  const [token, inMs, outMs] = [asked.get('token'), moment('in'), moment('out')];
  if (view === 'w' && token && TOKEN.test(token) && inMs !== undefined && outMs !== undefined && inMs < outMs)
    return { view: 'watch', code, token, inMs, outMs };
  return WALL;
}

/** The fragment of a route, with `#`. */
export function routeText(route: Route): string {
  if (route.view === 'wall') return '#/';
  if (route.view === 'system') return '#/system';
  const asked = new URLSearchParams();
  const add = (name: string, ms: number | undefined): void => {
    if (ms !== undefined) asked.set(name, new Date(ms).toISOString());
  };
  if (route.view === 'watch') asked.set('token', route.token);
  else {
    add('at', route.atMs);
    if (route.zoomMs !== undefined) asked.set('zoom', String(Math.round(route.zoomMs / 1000)));
  }
  add('in', route.inMs);
  add('out', route.outMs);
  const query = asked.toString().replaceAll('%3A', ':');
  return `#/${route.view === 'watch' ? 'w' : 's'}/${route.code}${query === '' ? '' : `?${query}`}`;
}

const current = signal<Route>(parseRoute(location.hash));
addEventListener('hashchange', () => (current.value = parseRoute(location.hash)));
addEventListener('popstate', () => (current.value = parseRoute(location.hash)));

/** Where the page is. */
export const route: ReadonlySignal<Route> = current;

/** Goes somewhere: a step that Back goes back. */
export function go(to: Route): void {
  if (routeText(to) === routeText(current.value)) return;
  history.pushState(null, '', routeText(to));
  current.value = to;
}

/** Writes where the page has come to by itself: no step of its own, and nobody is told. */
export function note(to: Route): void {
  if (routeText(to) !== location.hash) history.replaceState(null, '', routeText(to));
}
