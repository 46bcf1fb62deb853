/**
 * What somebody may write of a stream, and what of it is meant (docs/design/door.md, D10, E1, E3): a source that stands as it was shown is the one that is there; files are not set
 * through the API; what others than admins set is marked; where a stream is stored is the admin's.
 */
import { hasScope, type Grant } from '../access/index.js';
import { LivetapeError } from '../base/index.js';
import { dvrSchema, type ConfigState, type DvrSettings, type StreamEntry } from '../config/index.js';
import { isLocalSource } from '../ingest/index.js';
import { shownSource } from './publicText.js';

/** Fields of a stream, as they are asked for; null takes one away. */
export interface AskedFields {
  readonly source?: string | null | undefined;
  readonly title?: string | null | undefined;
  readonly template?: string | null | undefined;
  readonly dvr?: { readonly [F in keyof DvrSettings]?: DvrSettings[F] | null | undefined } | null | undefined;
}

/** Fields of a stream, as they are to be written. */
export type WrittenFields = AskedFields & { readonly restricted?: true | null };

/** How a stream stands now. */
interface Present {
  /** What the file says of it; undefined where it says nothing, as of the built-in channel. */
  readonly entry: StreamEntry | undefined;
  /** With the template filled in. */
  readonly source: string;
  readonly storagePath: string;
  /** The source is the template's. */
  readonly inherits: boolean;
}

/** Whether paths of the machine may be told to somebody, and set by them. */
export function tellsPaths(grant: Grant): boolean {
  return hasScope(grant, 'admin');
}

/**
 * What PUT writes.
 * @throws LivetapeError SOURCE_REFUSED, FORBIDDEN
 */
export function replacedStream(state: ConfigState, code: string, asked: AskedFields, grant: Grant): StreamEntry {
  const present = presentOf(state, code);
  const { source, restricted, dvr, title, template } = editedFields(state, present, asked, grant);
  const ofTemplate = (template ?? undefined) === present.entry?.template;
  // What was shown of a template's source stays the template's, unless another template is asked for.
  const kept = source === undefined && asked.source !== undefined && !(present.inherits && ofTemplate);
  const own = kept ? { source: present.source, restricted: present.entry?.restricted } : { source, restricted };
  // One that may not name a place does not take it away by leaving it out.
  const place = tellsPaths(grant) ? {} : { storage_path: present.entry?.dvr?.storage_path };
  return withoutNulls({ title, template, ...own, dvr: withoutNulls({ ...dvr, ...place }) });
}

/**
 * What PATCH writes.
 * @throws LivetapeError SOURCE_REFUSED, FORBIDDEN
 */
export function patchedStream(state: ConfigState, code: string, asked: AskedFields, grant: Grant): WrittenFields {
  const present = presentOf(state, code);
  const fields = editedFields(state, present, asked, grant);
  if (asked.dvr !== null || tellsPaths(grant) || present.entry?.dvr?.storage_path === undefined) return fields;
  // All of `dvr` but where it is stored.
  const names = Object.keys(dvrSchema.shape).filter((name) => name !== 'storage_path');
  return { ...fields, dvr: Object.fromEntries(names.map((name) => [name, null])) };
}

function presentOf({ config, streams }: ConfigState, code: string): Present {
  const entry = Object.hasOwn(config.streams, code) ? config.streams[code] : undefined;
  const stream = streams.get(code);
  const template = entry?.template === undefined ? undefined : config.templates[entry.template];
  return {
    entry,
    source: stream?.source ?? '',
    storagePath: stream?.dvr.storage_path ?? '',
    inherits: entry?.source === undefined && template?.source !== undefined,
  };
}

/** What is left to be changed. */
function editedFields(state: ConfigState, present: Present, asked: AskedFields, grant: Grant): WrittenFields {
  const { source, dvr, ...rest } = asked;
  if (!tellsPaths(grant)) checkTemplate(state, present, asked.template);
  return { ...rest, ...editedSource(present, source, grant), ...(dvr === undefined ? {} : { dvr: editedDvr(present, dvr, grant) }) };
}

/** A template with a source or a place gives what others than admins cannot set: a source with its password, on a private network; a folder. */
function checkTemplate({ config }: ConfigState, { entry }: Present, asked: string | null | undefined): void {
  if (asked === undefined || asked === (entry?.template ?? null)) return;
  const own = (name: string | null | undefined): boolean => {
    const template = typeof name === 'string' && Object.hasOwn(config.templates, name) ? config.templates[name] : undefined;
    return template?.source !== undefined || template?.dvr?.storage_path !== undefined;
  };
  if (own(asked) || own(entry?.template))
    throw new LivetapeError('FORBIDDEN', 'body.template: one with a source or a place is for admins to give and take');
}

function editedSource(present: Present, asked: string | null | undefined, grant: Grant): Pick<WrittenFields, 'source' | 'restricted'> {
  if (asked === undefined) return {};
  // As it was answered; to an admin who says the secrets that it holds it is set anew.
  if (asked !== null && [shownSource(present.source, true), shownSource(present.source, false)].includes(asked)) return {};
  if (asked === present.source && !tellsPaths(grant)) return {};
  if (asked === null || asked === '') return { source: asked, restricted: null };
  if (asked !== present.source && isLocalSource(asked)) {
    throw new LivetapeError('SOURCE_REFUSED', 'files and standard input are no sources for the API: write them in the configuration file');
  }
  return { source: asked, restricted: tellsPaths(grant) ? null : true };
}

function editedDvr(present: Present, dvr: AskedFields['dvr'], grant: Grant): AskedFields['dvr'] {
  if (dvr === null || dvr === undefined || tellsPaths(grant)) return dvr;
  const { storage_path: place, ...rest } = dvr;
  const own = present.entry?.dvr?.storage_path;
  // Empty is what they are told; what takes it away takes nothing where there is none.
  const isUnchanged =
    place === undefined || place === '' || place === own || place === present.storagePath || (place === null && own === undefined);
  if (isUnchanged) return rest;
  throw new LivetapeError('FORBIDDEN', 'body.dvr.storage_path: where a stream is stored is for admins to say');
}

function withoutNulls<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], null | undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], null | undefined>;
  };
}
