import type { Route } from '../../route';

export function WatchView({ route }: { readonly route: Route & { readonly view: 'watch' } }) {
  return <main>{route.code}</main>;
}
