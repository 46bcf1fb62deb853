/** What the fields of a stream's dialog hold, and what is sent of it: all to make one, to change one only what changed (docs/design/page.md, G5). Pure. */
import type { Dvr, Stream, StreamEdit } from '../api';
import { KEEP_PRESETS, KEEP_UNITS, keepParts, type KeepUnit } from './retention';

/** The fields, as they stand in the form. */
export interface StreamForm {
  readonly source: string;
  readonly code: string;
  readonly title: string;
  /** Seconds of a preset, or `custom`. */
  readonly keep: string;
  readonly keepCount: string;
  readonly keepUnit: KeepUnit;
  readonly maxGb: string;
  readonly segment: string;
  readonly enabled: boolean;
}

/** Fields that can be wrong, as the server names them. */
export const STREAM_FIELDS = ['source', 'code', 'title', 'retention_sec', 'max_size_gb', 'segment_duration'] as const;
export type StreamField = (typeof STREAM_FIELDS)[number];

/** Codes of errors that are about a field. */
export const STREAM_ERROR_FIELDS: Readonly<Partial<Record<string, StreamField>>> = {
  SOURCE_INVALID: 'source',
  SOURCE_UNSUPPORTED: 'source',
  SOURCE_REFUSED: 'source',
  ADDRESS_REFUSED: 'source',
  STREAM_CODE_INVALID: 'code',
  STREAM_CODE_TAKEN: 'code',
};

const DEFAULT_SEGMENT = 4;
/** What is offered for a new stream. */
const DEFAULT_KEEP_SEC = 604_800;
/** Secrets of a URL as the server shows them. */
const HIDDEN = '***';

/** The form as it is opened. */
export function formOf(stream?: Stream): StreamForm {
  const dvr = stream?.dvr ?? undefined;
  const sec = dvr?.retention_sec ?? (stream === undefined ? DEFAULT_KEEP_SEC : 0);
  const isPreset = KEEP_PRESETS.some(([preset]) => preset === sec);
  const { count, unit } = keepParts(isPreset ? DEFAULT_KEEP_SEC : sec);
  return {
    source: stream?.source ?? '',
    code: stream?.code ?? '',
    title: stream?.title ?? '',
    keep: isPreset ? String(sec) : 'custom',
    keepCount: String(count),
    keepUnit: unit,
    maxGb: String(dvr?.max_size_gb ?? 0),
    segment: String(dvr?.segment_duration ?? DEFAULT_SEGMENT),
    enabled: dvr?.enabled ?? true,
  };
}

const numberOf = (text: string): number => (text.trim() === '' ? NaN : Number(text.replace(',', '.')));

/** Seconds that are kept; NaN while no number stands there. */
const keepSec = (form: StreamForm): number =>
  form.keep === 'custom' ? Math.round(numberOf(form.keepCount) * KEEP_UNITS[form.keepUnit]) : Number(form.keep);

/** How it is recorded, as the form says; NaN where no number stands. */
export const dvrOf = (form: StreamForm): Omit<Dvr, 'storage_path'> => ({
  enabled: form.enabled,
  segment_duration: numberOf(form.segment),
  retention_sec: keepSec(form),
  max_size_gb: form.maxGb.trim() === '' ? 0 : numberOf(form.maxGb),
});

/** Whether a source holds secrets that the server did not tell: it cannot be looked at, and not be changed in part. */
export const hidesSecrets = (source: string): boolean => source.includes(HIDDEN);

/** What is wrong with the numbers and the source, before anything is sent. */
export function formProblems(form: StreamForm, stream?: Stream): Partial<Record<StreamField, string>> {
  const dvr = dvrOf(form);
  const source = form.source.trim();
  const found: Partial<Record<StreamField, string>> = {};
  if (source === '' && stream === undefined) found.source = 'A source is needed.';
  if (hidesSecrets(source) && source !== stream?.source)
    found.source = 'Where *** stands is a secret that is not shown: write the whole source.';
  if (Number.isNaN(dvr.retention_sec) || (form.keep === 'custom' && dvr.retention_sec <= 0))
    found.retention_sec = 'Say how long, as a number above 0.';
  if (!(dvr.max_size_gb >= 0)) found.max_size_gb = 'Say how many, as a number; 0 is no bound.';
  if (!(dvr.segment_duration >= 1 && dvr.segment_duration <= 30)) found.segment_duration = 'Say how long: from 1 to 30 seconds.';
  return found;
}

/** What is sent to make a stream: what is as the server has it anyway is left out, so that its file stays short. */
export function madeStream(form: StreamForm): StreamEdit {
  const dvr = dvrOf(form);
  const title = form.title.trim();
  return {
    source: form.source.trim(),
    ...(title === '' ? {} : { title }),
    dvr: {
      enabled: dvr.enabled,
      retention_sec: dvr.retention_sec,
      ...(dvr.max_size_gb === 0 ? {} : { max_size_gb: dvr.max_size_gb }),
      ...(dvr.segment_duration === DEFAULT_SEGMENT ? {} : { segment_duration: dvr.segment_duration }),
    },
  };
}

/** What is sent to change a stream: what is not as the form was opened with. Undefined when nothing is. */
export function changedStream(stream: Stream, form: StreamForm): StreamEdit | undefined {
  const before = formOf(stream);
  const [was, is] = [dvrOf(before), dvrOf(form)];
  const dvr = Object.fromEntries(Object.entries(is).filter(([name, value]) => was[name as keyof typeof was] !== value)) as Partial<Dvr>;
  const edit: StreamEdit = {
    ...(form.source.trim() === before.source ? {} : { source: form.source.trim() }),
    ...(form.title.trim() === before.title ? {} : { title: form.title.trim() }),
    ...(Object.keys(dvr).length === 0 ? {} : { dvr }),
  };
  return Object.keys(edit).length === 0 ? undefined : edit;
}
