/** Adds a stream, or changes one: where it comes from, which is looked at before it is saved, what it is called, what is kept of it (docs/design/page.md, G5). */
import { ScanSearch } from 'lucide';
import { useRef, useState } from 'preact/hooks';
import { api, ApiError, sentence, type Stream } from '../api';
import { Button } from '../parts/Button';
import { Dialog } from '../parts/Dialog';
import { Field } from '../parts/Field';
import { streams } from '../state/streams';
import { sayDone, sayError } from '../state/toasts';
import './dialogs.css';
import { recordedBitrate } from './findings';
import { formErrors, type FormErrors } from './formErrors';
import { KeepFields } from './KeepFields';
import { ProbePanel } from './ProbePanel';
import { codeProblem, conflictOf, suggestCode } from './streamCode';
import {
  changedStream,
  dvrOf,
  formOf,
  formProblems,
  hidesSecrets,
  madeStream,
  STREAM_ERROR_FIELDS,
  STREAM_FIELDS,
  type StreamField,
  type StreamForm,
} from './streamForm';
import { useProbe } from './useProbe';

/** What saving means before anything is known of a source (G5). */
const UNSEEN = {
  none: 'Not looked at: it is saved as it stands.',
  looking: 'It is still being looked at; it can be saved before that is done.',
  failed: 'Nothing was seen in it: it is saved as it stands.',
} as const;

interface StreamDialogProps {
  /** The one that is changed; without it one is added. */
  readonly stream?: Stream;
  onClose(): void;
  /** @param stream - as the server answered */
  onSaved(stream: Stream): void;
}

export function StreamDialog({ stream, onClose, onSaved }: StreamDialogProps) {
  const [form, setForm] = useState<StreamForm>(() => formOf(stream));
  const [errors, setErrors] = useState<FormErrors<StreamField>>({});
  const [isOwnCode, setOwnCode] = useState(stream !== undefined);
  const [isSaving, setSaving] = useState(false);
  const element = useRef<HTMLFormElement>(null);
  const { probe, look, forget } = useProbe();

  const source = form.source.trim();
  const change = (fields: Partial<StreamForm>): void => {
    setForm((before) => {
      const next = { ...before, ...fields };
      return isOwnCode || 'code' in fields ? next : { ...next, code: suggestCode(next.title, next.source, streams.codes.peek()) };
    });
    // What was wrong with a field is being mended.
    setErrors({});
  };
  // Files are not the server's to look at (docs/design/door.md, E3).
  const canLook = source !== '' && !hidesSecrets(source) && !/^(file:|-$)/i.test(source);
  const lookNow = (): void => {
    if (probe.state === 'none' || probe.source !== source || probe.state === 'failed') look(source);
  };
  const leaveSource = (): void => {
    if (canLook && source !== stream?.source && (probe.state === 'none' || probe.source !== source)) look(source);
  };

  const save = async (): Promise<void> => {
    const wrong = stream === undefined ? { ...formProblems(form), ...codeErrors(form.code) } : formProblems(form, stream);
    if (Object.keys(wrong).length > 0) return show(wrong);
    setSaving(true);
    try {
      const saved = stream === undefined ? await add(form) : await edit(stream, form);
      if (saved === 'taken') return show({ code: takenText(form.code) });
      void streams.refresh();
      if (saved.status.error === null) sayDone(stream === undefined ? `${saved.code} is added.` : `${saved.code} is saved.`);
      else sayError(`${saved.code} is saved, but not recorded yet: ${saved.status.error.message}`);
      onSaved(saved);
    } catch (error) {
      show(error instanceof ApiError ? formErrors(error, STREAM_FIELDS, STREAM_ERROR_FIELDS) : { form: String(error) });
    } finally {
      setSaving(false);
    }
  };
  const show = (wrong: FormErrors<StreamField>): void => {
    setErrors(wrong);
    // The first that is wrong, once it is drawn so.
    requestAnimationFrame(() => element.current?.querySelector<HTMLElement>('[aria-invalid="true"], .failure')?.focus());
  };

  const bitrate =
    probe.state === 'seen' ? recordedBitrate(probe.report, source) : source === stream?.source ? stream.status.input?.bitrate : undefined;
  const isAsItWas = source === (stream?.source ?? '');
  return (
    <Dialog title={stream === undefined ? 'Add a stream' : `Change ${stream.code}`} class="stream-dialog" onClose={onClose}>
      <form
        ref={element}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!isSaving) void save();
        }}
      >
        <Field label="Source" error={errors.source} hint={<SourceHint isHidden={hidesSecrets(form.source)} />}>
          {(ids) => (
            <div class="row">
              <input
                {...ids}
                class="wide mono"
                value={form.source}
                placeholder="udp://@239.0.0.1:5000"
                autocomplete="off"
                autocapitalize="off"
                spellcheck={false}
                onInput={({ currentTarget }) => {
                  forget();
                  change({ source: currentTarget.value });
                }}
                onBlur={leaveSource}
              />
              <Button icon={ScanSearch} disabled={!canLook} onClick={lookNow}>
                Look at it
              </Button>
            </div>
          )}
        </Field>
        <ProbePanel probe={probe} segmentSec={dvrOf(form).segment_duration} />
        <div class="pair">
          <Field label="Title" hint="For people; may be left empty." error={errors.title}>
            {(ids) => (
              <input {...ids} value={form.title} maxLength={200} onInput={({ currentTarget }) => change({ title: currentTarget.value })} />
            )}
          </Field>
          <Field
            label="Code"
            hint={stream === undefined ? <CodeHint code={form.code} /> : 'In addresses and as the folder’s name; it stays.'}
            error={errors.code}
          >
            {(ids) => (
              <input
                {...ids}
                class="mono"
                value={form.code}
                readOnly={stream !== undefined}
                autocomplete="off"
                autocapitalize="off"
                spellcheck={false}
                onInput={({ currentTarget }) => {
                  setOwnCode(currentTarget.value !== '');
                  change({ code: currentTarget.value });
                }}
              />
            )}
          </Field>
        </div>
        <KeepFields form={form} errors={errors} bitrate={bitrate} change={change} />
        <label class="check">
          <input type="checkbox" checked={form.enabled} onChange={({ currentTarget }) => change({ enabled: currentTarget.checked })} />
          {stream === undefined ? 'Record it from now on' : 'Record it'}
        </label>
        <details open={errors.segment_duration !== undefined}>
          <summary>More</summary>
          <Field
            label="Segment duration (seconds)"
            hint="How long each file of the archive should last, from 1 to 30; 4 suits most. Files begin at keyframes."
            error={errors.segment_duration}
          >
            {(ids) => (
              <input
                {...ids}
                class="short"
                inputMode="decimal"
                value={form.segment}
                onInput={({ currentTarget }) => change({ segment: currentTarget.value })}
              />
            )}
          </Field>
        </details>
        {errors.form !== undefined && (
          <p class="wrong failure" role="alert" tabIndex={-1}>
            {errors.form}
          </p>
        )}
        <div class="actions">
          {!isAsItWas && probe.state !== 'seen' && <p class="hint">{UNSEEN[probe.state]}</p>}
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="main" disabled={isSaving}>
            {isSaving ? 'Saving …' : stream === undefined ? 'Add' : 'Save'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function SourceHint({ isHidden }: { readonly isHidden: boolean }) {
  if (isHidden) return <>Where *** stands is a secret that is not shown. As it is here it stays; to change it, write the whole source.</>;
  return (
    <>
      A transport stream: <code>udp://@239.0.0.1:5000</code> <code>udp://:5000</code> <code>rtp://239.0.0.1:5004</code>{' '}
      <code>tcp://host:5001</code> <code>http://host/live.ts</code> <code>https://…</code>
    </>
  );
}

/** Of a code that is there in the archive alone, recording goes on in that archive. */
function CodeHint({ code }: { readonly code: string }) {
  const there = streams.stream(code);
  if (there?.status.configured === false) return <>There is an archive of this code already: recording goes on in it.</>;
  return <>In addresses, and as the folder’s name. It cannot be changed later.</>;
}

function codeErrors(code: string): FormErrors<StreamField> {
  const problem = codeProblem(code);
  if (problem !== undefined) return { code: problem };
  if (streams.stream(code)?.status.configured === true) return { code: takenText(code) };
  const other = conflictOf(code, streams.codes.peek());
  return other === undefined
    ? {}
    : { code: sentence(`it cannot be beside ${other}: one is the beginning of the other, or they differ in case alone`) };
}

const takenText = (code: string): string => `There is a stream ${code} already: choose another code, or change that stream.`;

/** PUT would replace a stream that somebody else has made meanwhile. */
async function add(form: StreamForm): Promise<Stream | 'taken'> {
  try {
    if ((await api.stream(form.code)).status.configured) return 'taken';
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'STREAM_NOT_FOUND') throw error;
  }
  return api.putStream(form.code, madeStream(form));
}

async function edit(stream: Stream, form: StreamForm): Promise<Stream> {
  const changes = changedStream(stream, form);
  return changes === undefined ? stream : api.patchStream(stream.code, changes);
}
