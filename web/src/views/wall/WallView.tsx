/** The wall: all streams at a glance, and what can be done to them (docs/design/page.md, G4). */
import { Plus } from 'lucide';
import { useState } from 'preact/hooks';
import { api, sentence, type Stream } from '../../api';
import { DeleteStreamDialog, StreamDialog } from '../../dialogs';
import { Button } from '../../parts/Button';
import { streams } from '../../state/streams';
import { sayDone, sayError } from '../../state/toasts';
import { arranged, group, search } from './choice';
import { Grid } from './Grid';
import { menu } from './menu';
import { TileMenu, type TileAction } from './TileMenu';
import { Toolbar } from './Toolbar';
import './wall.css';

type Asked = { readonly what: 'add' } | { readonly what: 'edit' | 'delete'; readonly stream: Stream };

export function WallView() {
  const [asked, ask] = useState<Asked>();
  const add = (): void => ask({ what: 'add' });
  const close = (): void => ask(undefined);
  const saved = (): void => {
    close();
    streams.refreshSoon();
  };
  return (
    <main class="wall">
      <Content onAdd={add} />
      <OpenMenu
        onAction={(action, stream) => {
          if (action === 'edit' || action === 'delete') ask({ what: action, stream });
          else void record(action, stream);
        }}
      />
      {asked?.what === 'add' && <StreamDialog onClose={close} onSaved={saved} />}
      {asked?.what === 'edit' && <StreamDialog stream={asked.stream} onClose={close} onSaved={saved} />}
      {asked?.what === 'delete' && <DeleteStreamDialog stream={asked.stream} onClose={close} onDeleted={() => streams.refreshSoon()} />}
    </main>
  );
}

/** Begins or ends the recording of a stream. */
async function record(action: Exclude<TileAction, 'edit' | 'delete'>, { code, title }: Stream): Promise<void> {
  try {
    await (action === 'start' ? api.startStream(code) : api.stopStream(code));
    sayDone(`${title || code} is ${action === 'start' ? 'being recorded' : 'not recorded any more; what is recorded stays'}.`);
  } catch (error) {
    sayError(error);
  }
  await streams.refresh();
}

function OpenMenu({ onAction }: { readonly onAction: (action: TileAction, stream: Stream) => void }) {
  const open = menu.value;
  const stream = open && streams.stream(open.code);
  return open && stream ? <TileMenu key={open.code} stream={stream} by={open.by} onAction={onAction} /> : null;
}

function Content({ onAdd }: { readonly onAdd: () => void }) {
  if (!streams.isLoaded.value && streams.problem.value !== undefined) {
    return (
      <p class="wrong" role="alert">
        The streams could not be read. {sentence(streams.problem.value)} It is tried again by itself.
      </p>
    );
  }
  if (!streams.isLoaded.value) {
    return (
      <p class="quiet" aria-busy="true">
        Asking for the streams …
      </p>
    );
  }
  const all = streams.codes.value;
  if (all.length === 0) {
    return (
      <section class="wall-first panel">
        <h1>No streams yet</h1>
        <p>
          Livetape records live streams around the clock, and lets you rewind them and take clips while they are on air. Tell it where one
          comes from: an MPEG transport stream over UDP, RTP, TCP or HTTP.
        </p>
        <Button icon={Plus} kind="main" onClick={onAdd}>
          Add stream
        </Button>
      </section>
    );
  }
  const { codes } = arranged.value;
  const [only] = all;
  return (
    <>
      <Toolbar onAdd={onAdd} />
      {codes.length > 0 ? <Grid codes={codes} /> : <NoneFound />}
      {all.length === 1 && only !== undefined && isBuiltIn(streams.stream(only)) && (
        <p class="wall-hint panel">This is the built-in test channel, to try things with. Add a stream of your own beside it.</p>
      )}
    </>
  );
}

/** The channel of `livetape serve --demo`. */
const isBuiltIn = (stream: Stream | undefined): boolean => stream?.code === 'demo' && /^file:.*\/demo\.ts\?loop=1$/.test(stream.source);

function NoneFound() {
  return (
    <section class="wall-none">
      <p>{search.value === '' ? 'No stream is in this state.' : 'No stream is found.'}</p>
      <Button
        onClick={() => {
          search.value = '';
          group.value = undefined;
        }}
      >
        Show all
      </Button>
    </section>
  );
}
