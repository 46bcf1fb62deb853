/** What is round every view: the head, a banner while the server does not answer, the way in where a token is asked for, and the messages. */
import { Clock, LogOut, MoonStar, Sun, SunMoon } from 'lucide';
import { useEffect } from 'preact/hooks';
import { Button } from './parts/Button';
import { Guarded } from './parts/Guarded';
import { Toasts } from './parts/Toasts';
import { route, type Route } from './route';
import { grant, isGuarded, may, sessionState, signOut } from './state/session';
import { theme, zone } from './state/settings';
import { streams } from './state/streams';
import { SignIn } from './views/signin/SignIn';
import { StreamView } from './views/stream/StreamView';
import { SystemView } from './views/system/SystemView';
import { WallView } from './views/wall/WallView';
import { WatchView } from './views/watch/WatchView';

export function Shell() {
  const at = route.value;
  // Whoever was sent a signed link has no token of their own, and needs none.
  if (at.view === 'watch') {
    return (
      <>
        <Head at={at} />
        <Guarded>
          <WatchView key={at.token} route={at} />
        </Guarded>
        <Toasts />
      </>
    );
  }
  return (
    <>
      <Head at={at} />
      <Gate at={at} />
      <Toasts />
    </>
  );
}

function Head({ at }: { readonly at: Route }) {
  const isIn = sessionState.value === 'in' && at.view !== 'watch';
  const next = { system: 'dark', dark: 'light', light: 'system' } as const;
  const icon = { system: SunMoon, dark: MoonStar, light: Sun }[theme.value];
  return (
    <header class="head">
      <a class="brand" href="#/">
        <img src={new URL('./icon.svg', import.meta.url).href} width={28} height={28} alt="" />
        <span>Livetape</span>
      </a>
      <nav aria-label="Views">
        {isIn && (
          <a href="#/" aria-current={at.view === 'wall' ? 'page' : undefined}>
            Streams
          </a>
        )}
        {isIn && may('admin') && (
          <a href="#/system" aria-current={at.view === 'system' ? 'page' : undefined}>
            System
          </a>
        )}
      </nav>
      <div class="tools">
        <Button
          icon={Clock}
          kind="plain"
          label={zone.value === 'utc' ? 'UTC: show times in your zone' : 'Local times: show them in UTC'}
          onClick={() => (zone.value = zone.value === 'utc' ? 'local' : 'utc')}
        >
          {zone.value === 'utc' ? 'UTC' : 'Local'}
        </Button>
        <Button
          icon={icon}
          kind="plain"
          label={`Colours: ${theme.value === 'system' ? 'as the system has them' : theme.value}`}
          onClick={() => (theme.value = next[theme.value])}
        />
        {isIn && isGuarded.value && <Button icon={LogOut} kind="plain" label={`Sign out ${grant.value?.name ?? ''}`} onClick={signOut} />}
      </div>
    </header>
  );
}

function Gate({ at }: { readonly at: Route }) {
  const state = sessionState.value;
  if (state === 'refused') return <SignIn />;
  if (state !== 'in') {
    return (
      <main aria-busy="true">
        <p class="quiet">
          {state === 'unreachable' ? 'The server does not answer. It is asked again every few seconds.' : 'Asking the server …'}
        </p>
      </main>
    );
  }
  if (!may('api')) {
    return (
      <main>
        <h1>This token opens no page</h1>
        <p>It is for {grant.value?.scopes.join(', ')}. To see streams here a token needs the scope api, to watch them playback too.</p>
      </main>
    );
  }
  return <Inside at={at} />;
}

function Inside({ at }: { readonly at: Route }) {
  useEffect(() => {
    streams.start();
    return () => streams.close();
  }, []);
  return (
    <>
      {!streams.isConnected.value && (
        <p class="banner" role="alert">
          The server does not answer. What is shown may be old; it is asked again every few seconds.
        </p>
      )}
      <Guarded key={at.view === 'stream' ? at.code : at.view}>
        {at.view === 'stream' ? <StreamView code={at.code} /> : at.view === 'system' ? <SystemView /> : <WallView />}
      </Guarded>
    </>
  );
}
