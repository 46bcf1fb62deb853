/**
 * livetape.yaml while the server runs: what it says, followed as it changes, and written for the API (docs/design/server.md, C1, C2, C6). One thing is done
 * at a time. A wrong file changes nothing, and is never written over.
 */
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { delay, LivetapeError, toLivetapeError, type Clock, type Logger } from '../base/index.js';
import { streamCodesConflict } from '../model/index.js';
import { readFileText, replaceFile, watchFile, type FileKind, type FileText } from '../state/index.js';
import { checkDocument, checkEntry, checkHook, fillIn, isFields, tidiedEntry } from './check.js';
import type { ConfigState, ConfigStore } from './contract.js';
import { MAX_FILE_BYTES, readDocument, type ConfigDocument, type Fields } from './document.js';
import { editEntry, type Section } from './edit.js';
import type { HookEntry, StreamEntry } from './schema.js';

/** A changed file is believed when it says the same after this: somebody may be writing it. */
const SETTLE_MS = 100;
/** How often an edit is made anew because the file changed meanwhile. */
const MAX_EDITS = 5;
const FILE: FileKind = { maxBytes: MAX_FILE_BYTES, unreadable: 'CONFIG_INVALID', unwritable: 'CONFIG_UNWRITABLE' };
/** The built-in channel. */
const DEMO_CODE = 'demo';

/** What a store is opened with. */
export interface ConfigStoreOptions {
  /** The file; it need not be there. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** The built-in channel `demo`, unless the file has one of that name. Never written to the file (C6). */
  readonly demo?: StreamEntry;
}

/**
 * Reads the file and follows it. One that is missing or empty says nothing, and that is right.
 * @throws LivetapeError CONFIG_INVALID naming line and field
 */
export async function openConfig(options: ConfigStoreOptions): Promise<ConfigStore> {
  const path = resolve(options.path);
  const { text } = await readFileText(path, FILE);
  return new FileConfigStore({ ...options, path }, readDocument(path, text ?? ''), text);
}

class FileConfigStore implements ConfigStore {
  readonly #options: ConfigStoreOptions;
  readonly #folder: string;
  readonly #changeListeners = new Set<(state: ConfigState, before: ConfigState) => void>();
  readonly #errorListeners = new Set<(error: LivetapeError | undefined) => void>();
  readonly #closing = new AbortController();
  readonly #unwatch: () => void;
  /** What holds, and the text that says it; undefined while there is no file. */
  #document: ConfigDocument;
  #text: string | undefined;
  #demo: StreamEntry | undefined;
  /** What the file says, without the built-in channel. */
  #said: ConfigState;
  #state: ConfigState;
  #error: LivetapeError | undefined;
  #work: Promise<unknown> = Promise.resolve();
  #lookWaits = false;

  constructor(options: ConfigStoreOptions, document: ConfigDocument, text: string | undefined) {
    this.#options = options;
    this.#folder = dirname(options.path);
    this.#demo = options.demo;
    this.#document = document;
    this.#text = text;
    this.#said = checkDocument(document, this.#folder);
    this.#state = this.#withDemo(this.#said);
    this.#unwatch = watchFile(options.path, options.clock, options.log, () => this.#changed());
  }

  get path(): string {
    return this.#options.path;
  }

  get state(): ConfigState {
    return this.#state;
  }

  get error(): LivetapeError | undefined {
    return this.#error;
  }

  async reload(): Promise<void> {
    await this.#inTurn(() => this.#look());
    if (this.#error !== undefined) throw this.#error;
  }

  put(code: string, stream: StreamEntry): Promise<void> {
    return this.#edit('streams', code, () => stream);
  }

  patch(code: string, change: Fields): Promise<void> {
    return this.#edit('streams', code, (entry) => merged(found(code, entry), change), true);
  }

  remove(code: string): Promise<void> {
    return this.#edit('streams', code, (entry) => void found(code, entry), true);
  }

  putHook(id: string, hook: HookEntry): Promise<void> {
    return this.#edit('hooks', id, () => hook);
  }

  removeHook(id: string): Promise<void> {
    return this.#edit('hooks', id, (entry) => {
      if (entry === undefined) throw new LivetapeError('HOOK_NOT_FOUND', `there is no webhook ${id}`, { context: { hook: id } });
    });
  }

  onChange(listener: (state: ConfigState, before: ConfigState) => void): () => void {
    this.#changeListeners.add(listener);
    return () => void this.#changeListeners.delete(listener);
  }

  onError(listener: (error: LivetapeError | undefined) => void): () => void {
    this.#errorListeners.add(listener);
    return () => void this.#errorListeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#unwatch();
    await this.#work;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#work.then(() => {
      if (this.#closing.signal.aborted) throw new LivetapeError('CLOSED', 'the configuration is closed');
      return step();
    });
    this.#work = done.catch(() => undefined);
    return done;
  }

  /** The file may have changed. However often that is said, one look waits. */
  #changed(): void {
    if (this.#lookWaits || this.#closing.signal.aborted) return;
    this.#lookWaits = true;
    this.#inTurn(async () => {
      this.#lookWaits = false;
      await this.#look();
    }).catch((error: unknown) => {
      if (!this.#closing.signal.aborted) this.#options.log.error({ path: this.path, err: error }, 'the configuration cannot be looked at');
    });
  }

  /** Reads the file, and takes up what it says. Answers with its version as it was read. */
  async #look(): Promise<string> {
    let read = await this.#read();
    while (read.text !== this.#text && !this.#closing.signal.aborted) {
      await delay(this.#options.clock, SETTLE_MS, this.#closing.signal);
      const again = await this.#read();
      if (again.version === read.version && again.text === read.text) break;
      read = again;
    }
    if (this.#closing.signal.aborted) return read.version;
    const { text } = read;
    if (read.error !== undefined) this.#wrong(read.error);
    else if (text === this.#text) this.#right();
    else this.#judge(text);
    return read.version;
  }

  async #read(): Promise<FileText & { readonly error?: LivetapeError }> {
    try {
      return await readFileText(this.path, FILE);
    } catch (error) {
      return { text: undefined, version: '', error: toLivetapeError(error, 'CONFIG_INVALID', this.path) };
    }
  }

  #judge(text: string | undefined): void {
    try {
      // One that is taken away says nothing of its streams, and that it was meant to end them all is not to be believed.
      if (text === undefined)
        throw new LivetapeError('CONFIG_INVALID', `${this.path}: the file is gone; what it said holds`, { context: { path: this.path } });
      this.#take(readDocument(this.path, text));
    } catch (error) {
      this.#wrong(toLivetapeError(error, 'CONFIG_INVALID', this.path));
    }
  }

  /** Takes up what a right file says. */
  #take(document: ConfigDocument): void {
    this.#said = checkDocument(document, this.#folder);
    [this.#document, this.#text] = [document, document.text];
    this.#right();
    this.#publish();
  }

  #publish(): void {
    const [before, state] = [this.#state, this.#withDemo(this.#said)];
    if (isDeepStrictEqual(state, before)) return;
    this.#state = state;
    this.#options.log.info({ path: this.path, streams: state.streams.size }, 'the configuration has changed');
    this.#tell(this.#changeListeners, (listener) => listener(state, before));
  }

  #right(): void {
    if (this.#error === undefined) return;
    this.#error = undefined;
    this.#options.log.info({ path: this.path }, 'the configuration is right again');
    this.#tell(this.#errorListeners, (listener) => listener(undefined));
  }

  #wrong(error: LivetapeError): void {
    if (this.#error?.message === error.message) return;
    this.#error = error;
    this.#options.log.error({ path: this.path, code: error.code }, error.message);
    this.#tell(this.#errorListeners, (listener) => listener(error));
  }

  #tell<T>(listeners: ReadonlySet<T>, call: (listener: T) => void): void {
    for (const listener of listeners) {
      try {
        call(listener);
      } catch (error) {
        this.#options.log.error({ err: error }, 'a listener threw');
      }
    }
  }

  /** With the built-in channel, where the file has none of that name nor one that excludes it (C6). */
  #withDemo(said: ConfigState): ConfigState {
    const demo = this.#demo;
    if (demo === undefined || [...said.streams.keys()].some((code) => code === DEMO_CODE || streamCodesConflict(code, DEMO_CODE)))
      return said;
    const streams = new Map(said.streams).set(DEMO_CODE, fillIn(DEMO_CODE, demo, said.config, this.#folder));
    return { config: said.config, streams };
  }

  /** Makes the file say what `change` makes of what it says of an entry now; undefined takes it out. */
  #edit(section: Section, name: string, change: (entry: Fields | undefined) => unknown, changesDemo = false): Promise<void> {
    return this.#inTurn(async () => {
      for (let i = 0; i < MAX_EDITS; i++) {
        const version = await this.#look();
        if (this.#error !== undefined) throw this.#error;
        const isBuiltIn = changesDemo && !this.#said.streams.has(name) && this.#state.streams.has(name);
        const changed = change(isBuiltIn ? this.#demo : this.#entryOf(section, name));
        if (isBuiltIn) {
          this.#demo = changed === undefined ? undefined : this.#checkedStream(name, changed);
          return this.#publish();
        }
        const entry = changed === undefined ? undefined : this.#checked(section, name, changed);
        if (await this.#write(editEntry(this.#document, section, name, entry), version)) return;
      }
      throw new LivetapeError('CONFIG_UNWRITABLE', `${this.path}: something else keeps writing it`, { context: { path: this.path } });
    });
  }

  /** What the file says of an entry; undefined where it does not name it. */
  #entryOf(section: Section, name: string): Fields | undefined {
    const entries = this.#document.value[section];
    if (!isFields(entries) || !Object.hasOwn(entries, name)) return undefined;
    return tidiedEntry(entries[name] ?? {}) as Fields;
  }

  #checked(section: Section, name: string, changed: unknown): StreamEntry | HookEntry {
    if (section === 'hooks') return checkHook(this.#said.config, name, tidiedEntry(defined(changed)));
    return this.#checkedStream(name, changed);
  }

  #checkedStream(code: string, changed: unknown): StreamEntry {
    const { dvr, ...rest } = checkEntry(this.#said.config, code, tidiedEntry(defined(changed)));
    return dvr === undefined || Object.keys(dvr).length === 0 ? rest : { ...rest, dvr };
  }

  /** False when the file changed since it was read. */
  async #write(edited: ConfigDocument, version: string): Promise<boolean> {
    if (edited.text === this.#document.text) return true;
    // Judged as a whole before it is written.
    checkDocument(edited, this.#folder);
    if (!(await replaceFile(this.path, edited.text, version, FILE))) return false;
    this.#take(edited);
    return true;
  }
}

function found(code: string, entry: Fields | undefined): Fields {
  if (entry !== undefined) return entry;
  throw new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${code} in the configuration`, { context: { code } });
}

/** Without fields that are undefined. */
function defined(value: unknown): unknown {
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, part]) => (part === undefined ? [] : [[name, defined(part)]])));
}

/** As in RFC 7396: fields replace fields, those of fields too; null takes away. */
function merged(entry: Fields, change: Fields): Fields {
  const result: { [name: string]: unknown } = { ...entry };
  for (const [name, value] of Object.entries(change)) {
    if (value === null) delete result[name];
    else if (isFields(value)) result[name] = merged(isFields(result[name]) ? result[name] : {}, value);
    else if (value !== undefined) result[name] = value;
  }
  return result;
}
