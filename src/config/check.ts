/**
 * What the file says, judged: the schema, and what no schema can say (codes that exclude each other, templates that are not there, sources that
 * cannot be understood). All that is wrong is found at once. Then each stream is filled in from its template and the defaults (docs/design/server.md, C3).
 */
import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import { LivetapeError, silentLogger, systemClock } from '../base/index.js';
import { EgressGuard } from '../egress/index.js';
import { openSource, sourceOptions } from '../ingest/index.js';
import { checkStreamCode } from '../model/index.js';
import type { z } from 'zod';
import type { ConfigState } from './contract.js';
import type { ConfigDocument, Fault, FieldPath, Fields } from './document.js';
import {
  configSchema,
  DVR_DEFAULTS,
  hookSchema,
  isHttpUrl,
  streamSchema,
  type Config,
  type DvrSettings,
  type HookEntry,
  type StreamConfig,
  type StreamEntry,
} from './schema.js';

/**
 * What a file means. Paths in it are relative to `folder`.
 * @throws LivetapeError CONFIG_INVALID naming line and field; its cause has the code of what is wrong where that has one
 */
export function checkDocument(file: ConfigDocument, folder: string): ConfigState {
  const value = tidied(file.value);
  const parsed = configSchema.safeParse(value);
  const faults: Fault[] = parsed.success ? [] : parsed.error.issues.flatMap(faultsOf);
  const [streams, templates] = [fieldsOf(value['streams']), fieldsOf(value['templates'])];
  const codes = new Map<string, string>();
  for (const code of Object.keys(streams)) {
    attempt(faults, ['streams', code], () => {
      checkCode(code, codes);
      codes.set(code.toLowerCase(), code);
    });
  }
  for (const [kind, entries] of Object.entries({ streams, templates })) {
    for (const [name, entry] of Object.entries(entries)) {
      const { source, template } = fieldsOf(entry);
      if (typeof source === 'string') attempt(faults, [kind, name, 'source'], () => checkSource(source));
      if (kind === 'streams' && typeof template === 'string' && !Object.hasOwn(templates, template)) {
        faults.push({ field: [kind, name, 'template'], what: `there is no template "${template}"` });
      }
      // A plain object cannot hold it, so the schema drops it without a word.
      if (kind === 'templates' && name === '__proto__') faults.push({ field: [kind, name], what: 'a template cannot have this name' });
    }
  }
  if (parsed.success) checkDoor(parsed.data, faults);
  if (faults.length > 0 || !parsed.success) throw file.invalid(faults);
  const { data, state, tls } = parsed.data;
  const path = (given: string): string => (given === '' ? '' : resolve(folder, given));
  const config: Config = {
    ...parsed.data,
    data: resolve(folder, data),
    state: path(state),
    tls: { cert: path(tls.cert), key: path(tls.key) },
  };
  return {
    config,
    streams: new Map(Object.entries(config.streams).map(([code, entry]) => [code, fillIn(code, entry, config, folder)])),
  };
}

/** What no schema can say of the door (docs/design/door.md). */
function checkDoor({ auth, egress, hooks, http, tls }: Config, faults: Fault[]): void {
  const fault = (field: FieldPath, what: string): void => void faults.push({ field, what });
  egress.allow.forEach((network, i) => attempt(faults, ['egress', 'allow', String(i)], () => new EgressGuard({ allow: [network] })));
  http.trusted_proxies.forEach((network, i) =>
    attempt(faults, ['http', 'trusted_proxies', String(i)], () => new EgressGuard({ allow: [network] })),
  );
  http.cors.forEach((origin, i) => {
    if (origin !== '*' && (!URL.canParse(origin) || new URL(origin).origin !== origin))
      fault(['http', 'cors', String(i)], 'it is neither an origin (https://example.org) nor "*"');
  });
  http.hosts.forEach((host, i) => {
    if (!isHostName(host)) fault(['http', 'hosts', String(i)], 'it is no name of a host: without http://, port and path');
  });
  if (auth.http_url !== '' && !isHttpUrl(auth.http_url)) fault(['auth', 'http_url'], 'it is not an http:// or https:// URL');
  if (new Set(auth.keys.map(({ id }) => id)).size < auth.keys.length) fault(['auth', 'keys'], 'two keys have the same id');
  if ((tls.cert === '') !== (tls.key === '')) fault(['tls'], 'cert and key are given together');
  const ids = Object.keys(hooks);
  ids.forEach((id, i) => {
    const why = wrongHookId(id, ids.slice(0, i));
    if (why !== undefined) faults.push({ field: ['hooks', id], what: why, ofName: true });
  });
}

/** Whether a Host header could ever be it. */
function isHostName(text: string): boolean {
  return /^[A-Za-z0-9._-]+$/.test(text) || isIPv6(text);
}

/** What is wrong with the id of a webhook, beside `others`; each has a folder, and not every disk tells cases apart. */
function wrongHookId(id: string, others: readonly string[]): string | undefined {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id) || id === '__proto__') return 'an id is 1 to 64 letters, digits, "_" and "-"';
  const other = others.find((one) => one !== id && one.toLowerCase() === id.toLowerCase());
  return other === undefined ? undefined : `there is ${other}: case does not tell two apart`;
}

/**
 * What is to be written of a webhook, checked before it is.
 * @throws LivetapeError REQUEST_INVALID for the id; CONFIG_INVALID naming the field
 */
export function checkHook(config: Config, id: string, entry: unknown): HookEntry {
  const why = wrongHookId(id, Object.keys(config.hooks));
  if (why !== undefined) throw new LivetapeError('REQUEST_INVALID', `webhook ${id.slice(0, 64)}: ${why}`);
  const parsed = hookSchema.safeParse(entry);
  if (parsed.success) return parsed.data;
  const [fault] = parsed.error.issues.flatMap(faultsOf);
  const field = fault?.field.join('.') ?? '';
  throw new LivetapeError('CONFIG_INVALID', `webhook ${id}: ${field}: ${fault?.what ?? 'wrong'}`, { context: { hook: id, field } });
}

/**
 * What is to be written of a stream, checked before it is.
 * @throws LivetapeError STREAM_CODE_INVALID, STREAM_CODE_TAKEN, SOURCE_INVALID, SOURCE_UNSUPPORTED; CONFIG_INVALID naming the field
 */
export function checkEntry(config: Config, code: string, entry: unknown): StreamEntry {
  const others = Object.keys(config.streams).filter((other) => other !== code);
  checkCode(code, new Map(others.map((other) => [other.toLowerCase(), other])));
  const parsed = streamSchema.safeParse(entry);
  const faults: Fault[] = parsed.success ? [] : parsed.error.issues.flatMap(faultsOf);
  const template = parsed.data?.template;
  if (template !== undefined && !Object.hasOwn(config.templates, template)) {
    faults.push({ field: ['template'], what: `there is no template "${template}"` });
  }
  const [fault] = faults;
  if (fault !== undefined || !parsed.success) {
    const field = fault?.field.join('.') ?? '';
    throw new LivetapeError('CONFIG_INVALID', `stream ${code}: ${field === '' ? '' : `${field}: `}${fault?.what ?? 'wrong'}`, {
      context: { code, field },
    });
  }
  if (parsed.data.source !== undefined) checkSource(parsed.data.source);
  return parsed.data;
}

/** A stream with nothing left out (C3). */
export function fillIn(code: string, entry: StreamEntry, config: Config, folder: string): StreamConfig {
  const template = entry.template === undefined ? undefined : config.templates[entry.template];
  const dvr: DvrSettings = { ...DVR_DEFAULTS, ...said(template?.dvr), ...said(entry.dvr) };
  return {
    code,
    source: entry.source ?? template?.source ?? '',
    title: entry.title ?? template?.title ?? '',
    // of its own source: a template's is the admin's
    restricted: entry.restricted === true && entry.source !== undefined,
    dvr: { ...dvr, storage_path: dvr.storage_path === '' ? '' : resolve(folder, dvr.storage_path) },
  };
}

/** Without the fields that are undefined: a program's way to leave them out. */
function said<T extends object>(fields: T | undefined): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Parts of the file that are entries by name. */
const NAMED: ReadonlySet<string> = new Set(['streams', 'templates', 'hooks']);

/** The fields without those that are named and said nothing of (`source:` alone): they are left out. A stream, template or webhook of which nothing is said is there all the same. */
export function tidied(value: Fields): Fields {
  const entries = (named: unknown): unknown =>
    isFields(named) ? mapped(named, (entry) => (entry === null ? {} : tidiedEntry(entry))) : named;
  const top = withoutNulls(value) as Fields;
  return mapped(top, (part, name) => (NAMED.has(name) ? entries(part) : withoutNulls(part)));
}

/** As {@link tidied}, of an entry. */
export function tidiedEntry(entry: unknown): unknown {
  return withoutNulls(entry, (part) => withoutNulls(part));
}

/** Whether it is names with values. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function mapped(fields: Fields, change: (value: unknown, name: string) => unknown): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, change(value, name)]));
}

function withoutNulls(value: unknown, inner: (value: unknown) => unknown = (part) => part): unknown {
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, part]) => (part === null ? [] : [[name, inner(part)]])));
}

/** @param others - codes by themselves in lower case */
function checkCode(code: string, others: ReadonlyMap<string, string>): void {
  checkStreamCode(code);
  // It is a code, and yet nothing that fields of an object can be named.
  if (code === '__proto__') throw new LivetapeError('STREAM_CODE_INVALID', 'stream code "__proto__": it cannot stand in the file');
  const other = conflict(code.toLowerCase(), others);
  if (other === undefined) return;
  const why = 'no code is the beginning of another, and case does not tell two apart';
  throw new LivetapeError('STREAM_CODE_TAKEN', `stream ${code} cannot be while there is ${other}: ${why}`, { context: { code, other } });
}

/** The code among `others` that conflicts (model/streamCode.ts), without asking each. */
function conflict(lower: string, others: ReadonlyMap<string, string>): string | undefined {
  for (let at = lower.indexOf('/'); at >= 0; at = lower.indexOf('/', at + 1)) {
    const beginning = others.get(lower.slice(0, at));
    if (beginning !== undefined) return beginning;
  }
  const same = others.get(lower);
  if (same !== undefined) return same;
  for (const [other, code] of others) if (other.startsWith(`${lower}/`)) return code;
  return undefined;
}

/**
 * Whether a server can have such a source.
 * @throws LivetapeError SOURCE_INVALID, SOURCE_UNSUPPORTED
 */
export function checkSource(source: string): void {
  if (source === '') return;
  const { url } = sourceOptions(source.trim());
  if (/^-(\?|$)/.test(url))
    throw new LivetapeError('SOURCE_INVALID', 'source -: standard input is for `livetape record`, a server has none');
  // Nothing is opened before `start`.
  void openSource(url, { clock: systemClock, log: silentLogger }).close();
}

function attempt(faults: Fault[], field: FieldPath, check: () => void): void {
  try {
    check();
  } catch (cause) {
    if (!(cause instanceof LivetapeError)) throw cause;
    faults.push({ field, what: cause.message, cause });
  }
}

function faultsOf(issue: z.core.$ZodIssue): Fault[] {
  const path = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') return [{ field: path, what: issue.message.replace(/^Invalid input: e/, 'e') }];
  return issue.keys.map((key) => ({ field: [...path, key], what: 'there is no such field', ofName: true }));
}
