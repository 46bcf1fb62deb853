/** The head of a stream's page: its name, how it does, what its archive holds, and what can be done with it. */
import { useSignal } from '@preact/signals';
import { ArrowLeft, CircleStop, Pencil, Radio, Trash2 } from 'lucide';
import { api, type Stream } from '../../api';
import { ConfirmDialog, DeleteStreamDialog, StreamDialog } from '../../dialogs';
import { Button } from '../../parts/Button';
import { Icon } from '../../parts/Icon';
import { streamState } from '../../parts/streamState';
import { go } from '../../route';
import { now } from '../../state/clock';
import { zone } from '../../state/settings';
import { streams } from '../../state/streams';
import { sayDone, sayError } from '../../state/toasts';
import { bitrateText, bytesText, lengthText } from '../../time/format';

export function StreamHead({ stream }: { readonly stream: Stream }) {
  const asked = useSignal<'edit' | 'stop' | 'delete' | undefined>(undefined);
  const close = (): void => void (asked.value = undefined);
  const { code, title, status, dvr } = stream;
  const { tone, word, detail } = streamState(stream, now.value, zone.value);
  const isOn = dvr?.enabled === true;

  const start = async (): Promise<void> => {
    try {
      await api.startStream(code);
      sayDone(`${code} is being recorded.`);
    } catch (error) {
      sayError(error);
    }
    await streams.refresh();
  };

  return (
    <header class="stream-head">
      <a class="button plain bare" href="#/" aria-label="All streams" title="All streams">
        <Icon of={ArrowLeft} />
      </a>
      <div class="stream-names">
        <h1>{title === '' ? code : title}</h1>
        {title !== '' && <code class="quiet">{code}</code>}
      </div>
      <div class="stream-facts">
        <span class={`state ${tone}`}>{word}</span>
        {detail !== '' && <span>{detail}</span>}
        <ArchiveFacts code={code} />
        {status.input !== null && status.signal === 'present' && <span class="number">{bitrateText(status.input.bitrate)}</span>}
      </div>
      <div class="stream-actions">
        {status.configured && (
          <>
            <Button icon={Pencil} kind="plain" label="Edit" onClick={() => (asked.value = 'edit')} />
            {isOn ? (
              <Button icon={CircleStop} kind="plain" label="Stop recording" onClick={() => (asked.value = 'stop')} />
            ) : (
              <Button icon={Radio} kind="plain" label="Start recording" onClick={() => void start()} />
            )}
          </>
        )}
        <Button
          icon={Trash2}
          kind="plain"
          label={status.configured ? 'Delete' : 'Delete the archive'}
          onClick={() => (asked.value = 'delete')}
        />
      </div>
      {asked.value === 'edit' && (
        <StreamDialog
          stream={stream}
          onClose={close}
          onSaved={() => {
            close();
            void streams.refresh();
          }}
        />
      )}
      {asked.value === 'stop' && (
        <ConfirmDialog
          title={`Stop recording ${code}?`}
          action="Stop recording"
          onConfirm={async () => {
            await api.stopStream(code);
            await streams.refresh();
            sayDone(`${code} is not recorded any more; what is there stays.`);
          }}
          onClose={close}
        >
          <p>What is recorded so far stays and can be played. What comes from now on is lost until it is started again.</p>
        </ConfirmDialog>
      )}
      {asked.value === 'delete' && <DeleteStreamDialog stream={stream} onClose={close} onDeleted={() => go({ view: 'wall' })} />}
    </header>
  );
}

function ArchiveFacts({ code }: { readonly code: string }) {
  const archive = streams.archive(code);
  if (!archive?.dvr_range) return null;
  const { dvr_range: range, total_size_bytes: bytes } = archive;
  return (
    <span class="number">
      {lengthText(Date.parse(range.last_segment_at) - Date.parse(range.started_at))}, {bytesText(bytes)}
    </span>
  );
}
