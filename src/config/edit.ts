/**
 * Edits of one stream, or webhook, in the text of the file. Only the characters that say what changes are replaced: all else, comments and style, stays byte for
 * byte (docs/design/server.md, C2). An edit is believed only when the new text, read again, says what it should and nothing else has changed; where
 * it does not (aliases to what changes, unusual layouts) the document is edited as a tree and written anew, which keeps comments, but not all of the layout.
 */
import { isDeepStrictEqual } from 'node:util';
import { isAlias, isCollection, isMap, isScalar, parseDocument, Scalar, stringify, visit, type Node, type Pair, type YAMLMap } from 'yaml';
import { LivetapeError } from '../base/index.js';
import { isFields, tidied } from './check.js';
import { nameOf, readDocument, YAML_OPTIONS, type ConfigDocument, type Fields } from './document.js';

/** What of the file is edited entry by entry. */
export type Section = 'streams' | 'hooks';

/**
 * The file with `entry` as what it says of an entry of a section; without the entry where that is undefined.
 * @throws LivetapeError CONFIG_UNWRITABLE when the file is written in a way that cannot be edited; CONFIG_INVALID when it would be too long
 */
export function editEntry(file: ConfigDocument, section: Section, name: string, entry: Fields | undefined): ConfigDocument {
  const said = file.value[section];
  const entries = { ...(isFields(said) ? said : {}) };
  if (entry === undefined) delete entries[name];
  else entries[name] = entry;
  const wanted = tidied({ ...file.value, [section]: entries });
  const current = tidied(file.value);
  const says = (text: string): ConfigDocument | undefined => {
    // Half of a character that needs two cannot be stored but as an escape.
    if (Buffer.from(text).toString() !== text) return undefined;
    const edited = readDocument(file.path, text);
    return isDeepStrictEqual({ [section]: {}, ...tidied(edited.value) }, wanted) ? edited : undefined;
  };
  const edited =
    attempt(() => says(spliced(file, current, wanted))) ??
    // A field that a merge key brings in cannot be taken away alone.
    attempt(() => says(spliced(file, current, wanted, [section, name]))) ??
    attempt(() => says(rewritten(file, [section, name], entry)));
  if (edited !== undefined) return edited;
  throw new LivetapeError(
    'CONFIG_UNWRITABLE',
    `${file.path}: ${section}.${name} is written in a way that cannot be changed here; edit the file`,
    {
      context: { path: file.path, [section]: name },
    },
  );
}

/** Undefined where the edit cannot be made so, or made a text that is none. */
function attempt(edit: () => ConfigDocument | undefined): ConfigDocument | undefined {
  try {
    return edit();
  } catch (error) {
    if (error instanceof LivetapeError && error.context['line'] === undefined) throw error;
    return undefined;
  }
}

/** Section and name of an entry. */
type EntryPath = readonly [Section, string];

/** Thrown where characters cannot simply be replaced. */
class NotSpliceable extends Error {}

interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The text with the characters replaced that say otherwise than `wanted`; all of an entry's where its path is given. */
function spliced(file: ConfigDocument, current: Fields, wanted: Fields, whole?: EntryPath): string {
  const edit = new TextEdit(file, whole);
  const { contents } = file.yaml;
  if (isMap(contents)) edit.reconcile(contents, current, wanted);
  else edit.append(wanted);
  return edit.result();
}

class TextEdit {
  readonly #text: string;
  readonly #eol: string;
  readonly #step: number;
  readonly #splices: Splice[] = [];
  /** To be replaced as a whole. */
  readonly #whole: Pair | undefined;

  constructor(file: ConfigDocument, whole: EntryPath | undefined) {
    const { text } = file;
    this.#eol = text.includes('\r\n') ? '\r\n' : '\n';
    this.#text = text === '' || text.endsWith('\n') ? text : text + this.#eol;
    this.#step = this.#indentStep(file.yaml.contents);
    const entries = whole === undefined ? undefined : file.yaml.get(whole[0]);
    this.#whole = isMap(entries) ? entries.items.find((pair) => nameOf(pair) === whole?.[1]) : undefined;
  }

  /** The edited text; splices never overlap, or the edit is given up. */
  result(): string {
    // At one place what is inserted comes after what ends there, and before what begins there.
    const splices = this.#splices.toSorted((a, b) => a.start - b.start || a.end - b.end);
    let [result, at] = ['', 0];
    for (const { start, end, text } of splices) {
      if (start < at) throw new NotSpliceable();
      result += this.#text.slice(at, start) + text;
      at = end;
    }
    return result + this.#text.slice(at);
  }

  /** Adds names at the end of a file that has none. */
  append(fields: Fields): void {
    this.#splice(this.#text.length, this.#text.length, this.#block(fields, 0));
  }

  /** Makes a mapping that says `current` say `wanted`. */
  reconcile(map: YAMLMap, current: Fields, wanted: Fields): void {
    const own = new Set(map.items.map(nameOf));
    const added = Object.entries(wanted).filter(([name, value]) => !own.has(name) && !isDeepStrictEqual(current[name], value));
    const isGone = (pair: Pair): boolean => {
      const name = nameOf(pair);
      // One that says nothing is left out of both.
      return name !== undefined && Object.hasOwn(current, name) && !Object.hasOwn(wanted, name);
    };
    for (const pair of map.items) {
      const name = nameOf(pair);
      if (name === undefined || !Object.hasOwn(wanted, name) || isDeepStrictEqual(current[name], wanted[name])) continue;
      this.#change(map, pair, name, current[name], wanted[name]);
    }
    if (map.flow === true) this.#reconcileFlow(map, isGone, added);
    else {
      for (const pair of map.items.filter(isGone)) this.#splice(this.#startOf(map, pair), this.#linesEnd(pair), '');
      const [first, last] = [map.items[0], map.items.at(-1)];
      if (added.length === 0) return;
      if (first === undefined || last === undefined) throw new NotSpliceable();
      const at = this.#linesEnd(last);
      this.#splice(at, at, this.#block(Object.fromEntries(added), this.#columnOf(first)));
    }
  }

  #reconcileFlow(map: YAMLMap, isGone: (pair: Pair) => boolean, added: readonly (readonly [string, unknown])[]): void {
    const { items } = map;
    const [first, last] = [items[0], items.at(-1)];
    const texts = added.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
    if (first === undefined || last === undefined) {
      const [start, end] = rangeOf(map);
      if (texts.length > 0) this.#splice(start, end, `{ ${texts.join(', ')} }`);
      return;
    }
    const lastKept = items.findLastIndex((pair) => !isGone(pair));
    items.slice(0, Math.max(0, lastKept)).forEach((pair, i) => {
      if (isGone(pair)) this.#splice(keyStart(pair), keyStart(items[i + 1]), '');
    });
    const [kept, end] = [items[lastKept], endOf(last)];
    if (kept !== last) this.#splice(kept === undefined ? keyStart(first) : endOf(kept), end, '');
    if (texts.length === 0) return;
    // Each on a line of its own where the first is.
    const indent = this.#indentOf(first);
    const separator = indent === undefined ? ', ' : `,${this.#eol}${' '.repeat(indent)}`;
    this.#splice(end, end, (kept === undefined ? '' : separator) + texts.join(separator));
  }

  /** Makes a pair of a mapping say something else. */
  #change(map: YAMLMap, pair: Pair, name: string, current: unknown, wanted: unknown): void {
    const { value } = pair;
    if (isFields(wanted)) {
      if (isMap(value) && value.items.length > 0 && pair !== this.#whole)
        return this.reconcile(value, isFields(current) ? current : {}, wanted);
      const isNothing = (isScalar(value) && isEmpty(value)) || (isMap(value) && value.flow === true);
      if (map.flow !== true && isNothing && Object.keys(wanted).length > 0) {
        const [start, end] = rangeOf(value);
        const before = this.#text.slice(0, start).replace(/ +$/, '').length;
        if (end > start) this.#splice(before, end, '');
        const at = this.#lineEnd(end);
        return this.#splice(at, at, this.#block(wanted, this.#columnOf(pair) + this.#step));
      }
    } else if (isScalar(value) && value.type !== 'BLOCK_LITERAL' && value.type !== 'BLOCK_FOLDED') {
      const [start, end] = rangeOf(value);
      const text = map.flow === true ? JSON.stringify(wanted) : inStyle(wanted, value);
      return this.#splice(start, end, isEmpty(value) ? ` ${text}` : text);
    }
    if (map.flow === true) this.#splice(keyStart(pair), endOf(pair), `${JSON.stringify(name)}: ${JSON.stringify(wanted)}`);
    else this.#splice(this.#lineStart(pair), this.#lineEnd(endOf(pair)), this.#block({ [name]: wanted }, this.#columnOf(pair)));
  }

  #splice(start: number, end: number, text: string): void {
    this.#splices.push({ start, end, text });
  }

  /** Names with values as lines. */
  #block(fields: Fields, column: number): string {
    // One line for each value, so that indenting the lines changes none of them.
    const text = stringify(fields, { lineWidth: 0, indent: this.#step, blockQuote: false, doubleQuotedAsJSON: true });
    // `^` would match after U+2028 too.
    const lines = text.split('\n').map((line) => (line === '' ? '' : ' '.repeat(column) + line));
    return lines.join(this.#eol);
  }

  /** Where a pair begins with the comment right above it. That above the first of a mapping may be about all of them. */
  #startOf(map: YAMLMap, pair: Pair): number {
    let start = this.#lineStart(pair);
    const column = this.#columnOf(pair);
    while (pair !== map.items[0] && start > 0) {
      const above = this.#text.lastIndexOf('\n', start - 2) + 1;
      const comment = /^( *)#/.exec(this.#text.slice(above, start));
      if (comment?.[1]?.length !== column) break;
      start = above;
    }
    return start;
  }

  /** Where the lines of a pair end, with the comments after it that are indented deeper: they are in it. */
  #linesEnd(pair: Pair): number {
    const column = this.#columnOf(pair);
    let end = this.#lineEnd(endOf(pair));
    for (let at = end; at < this.#text.length;) {
      const next = this.#lineEnd(at + 1);
      const line = this.#text.slice(at, next);
      const comment = /^( *)#/.exec(line);
      if (comment !== null && (comment[1]?.length ?? 0) > column) end = next;
      else if (line.trim() !== '') break;
      at = next;
    }
    return end;
  }

  #lineStart(pair: Pair): number {
    return keyStart(pair) - this.#columnOf(pair);
  }

  #lineEnd(at: number): number {
    if (at > 0 && this.#text[at - 1] === '\n') return at;
    const end = this.#text.indexOf('\n', at);
    return end < 0 ? this.#text.length : end + 1;
  }

  #columnOf(pair: Pair): number {
    const column = this.#indentOf(pair);
    if (column === undefined) throw new NotSpliceable();
    return column;
  }

  /** How far a pair is indented; undefined when something stands before it in its line. */
  #indentOf(pair: Pair): number | undefined {
    const start = keyStart(pair);
    const before = this.#text.slice(this.#text.lastIndexOf('\n', start - 1) + 1, start);
    return /^ *$/.test(before) ? before.length : undefined;
  }

  #indentStep(contents: Node | null): number {
    if (!isMap(contents)) return 2;
    for (const { value } of contents.items) {
      const first = isMap(value) && value.flow !== true ? value.items[0] : undefined;
      const indent = first === undefined ? undefined : this.#indentOf(first);
      if (indent !== undefined && indent > 0) return indent;
    }
    return 2;
  }
}

function rangeOf(node: unknown): readonly [number, number] {
  const range = isScalar(node) || isCollection(node) || isAlias(node) ? node.range : undefined;
  if (!range) throw new NotSpliceable();
  return [range[0], range[1]];
}

function keyStart(pair: Pair | undefined): number {
  return rangeOf(pair?.key)[0];
}

/** Where what a pair says ends; comments after it are not counted. */
function endOf({ key, value }: Pair): number {
  const last = isMap(value) && value.flow !== true ? value.items.at(-1) : undefined;
  if (last !== undefined) return endOf(last);
  return value === null || value === undefined ? rangeOf(key)[1] : rangeOf(value)[1];
}

function isEmpty(value: Scalar): boolean {
  const [start, end] = rangeOf(value);
  return start === end;
}

/** A value as one word of YAML, quoted as the old one was. */
function inStyle(value: unknown, old: Scalar): string {
  const scalar = new Scalar(value);
  if (typeof value === 'string' && !value.includes('\n') && (old.type === 'QUOTE_DOUBLE' || old.type === 'QUOTE_SINGLE'))
    scalar.type = old.type;
  return stringify(scalar, { lineWidth: 0, blockQuote: false, doubleQuotedAsJSON: true }).trimEnd();
}

/** The document edited as a tree. Aliases to what changes are written out, so that what holds them does not change. */
function rewritten(file: ConfigDocument, path: EntryPath, entry: Fields | undefined): string {
  const yaml = parseDocument(file.text, YAML_OPTIONS);
  const old = yaml.getIn(path, true);
  const changing = new Set<unknown>();
  if (isCollection(old)) visit(old, { Node: (_key, node) => void changing.add(node) });
  visit(yaml, {
    Alias(_key, alias) {
      const target = alias.resolve(yaml);
      if (target === undefined || !changing.has(target)) return undefined;
      const copy = target.clone() as typeof target;
      delete copy.anchor;
      copy.comment = alias.comment ?? null;
      return copy;
    },
  });
  if (entry === undefined) yaml.deleteIn(path);
  else yaml.setIn(path, yaml.createNode(entry));
  return yaml.toString({ lineWidth: 0 });
}
