/**
 * The text of livetape.yaml as a document: what it says as plain values, and where it says it. Syntax is judged here, meaning in check.ts.
 * A wrong file is one error, CONFIG_INVALID, that names line, column and field (docs/design/server.md, C1).
 */
import {
  isAlias,
  isMap,
  isScalar,
  isNode,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type ErrorCode,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import { LivetapeError, isLivetapeError } from '../base/index.js';

/** Bytes that a file may have. */
export const MAX_FILE_BYTES = 1_000_000;
/** Values that a file may say, those repeated by aliases counted each time. */
const MAX_VALUES = 1_000_000;

/** Fields by name. */
export interface Fields {
  readonly [name: string]: unknown;
}

/** Where a field stands: the names on the way to it. */
export type FieldPath = readonly string[];

/** A file that is YAML, with a mapping of names at its top. */
export interface ConfigDocument {
  /** Of the file. */
  readonly path: string;
  readonly text: string;
  readonly yaml: Document;
  /** What it says; aliases and merge keys resolved. */
  readonly value: Fields;
  /** The error that tells of faults: the first by its place in the file, and how many more there are. */
  invalid(faults: readonly Fault[]): LivetapeError;
}

/** Something wrong with a field. */
export interface Fault {
  readonly field: FieldPath;
  readonly what: string;
  readonly cause?: unknown;
  /** It is the name that is wrong, not the value. */
  readonly ofName?: boolean;
}

/** How the text is read, here and after an edit. */
export const YAML_OPTIONS = { prettyErrors: false, merge: true, stringKeys: true, logLevel: 'error' } as const;

/**
 * Reads the text of a file.
 * @throws LivetapeError CONFIG_INVALID
 */
export function readDocument(path: string, text: string): ConfigDocument {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) throw wrong(path, undefined, [], `the file is longer than ${MAX_FILE_BYTES} bytes`);
  const lines = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  try {
    const yaml = parseDocument(text, { ...YAML_OPTIONS, lineCounter: lines });
    // An unknown tag is only warned of by the parser: nobody would see it.
    const [fault] = [...yaml.errors, ...yaml.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
    if (fault) throw wrong(path, at(fault.pos[0]), [], OWN_WORDS[fault.code] ?? fault.message);
    const { contents } = yaml;
    checkAliases(contents, (node, what) => wrong(path, at(node?.range?.[0] ?? 0), [], what));
    const isEmpty = contents === null || (isScalar(contents) && contents.value === null);
    if (!isEmpty && !isMap(contents))
      throw wrong(path, at(contents.range?.[0] ?? 0), [], 'it is not names with values, such as "streams:"');
    return {
      path,
      text,
      yaml,
      value: isEmpty ? {} : (yaml.toJS({ maxAliasCount: -1 }) as Fields),
      invalid(faults) {
        const placed = faults.map((one) => ({ ...one, offset: offsetOf(yaml, one.field, one.ofName) })).sort((a, b) => a.offset - b.offset);
        const [first] = placed;
        const more = placed.length > 1 ? ` (and ${placed.length - 1} more)` : '';
        return wrong(path, at(first?.offset ?? 0), first?.field ?? [], `${first?.what ?? 'wrong'}${more}`, first?.cause);
      },
    };
  } catch (error) {
    if (isLivetapeError(error)) throw error;
    // What the parser throws: nesting beyond the stack, a merge of what is no mapping.
    throw wrong(path, undefined, [], error instanceof Error ? error.message : String(error), error);
  }
}

/** In the place of messages of the parser that quote the file: what stands there may be a password (docs/design/door.md, D11). */
const OWN_WORDS: Partial<Readonly<Record<ErrorCode, string>>> = {
  DUPLICATE_KEY: 'the name stands there twice',
  TAG_RESOLVE_FAILED: 'there is no such tag; a value that begins with "!" is written in quotes',
  BAD_COLLECTION_TYPE: 'the tag is of another kind of value',
  BAD_ALIAS: 'this is no alias; a value that begins with "*" or "&" is written in quotes',
  BAD_DIRECTIVE: 'there is no such directive',
  BAD_DQ_ESCAPE: 'this is no escape of YAML; a "\\" in double quotes is written twice',
  UNEXPECTED_TOKEN: 'this is not expected here',
};

/** Names as they may be told: of one that is more than a name (`source:http://me:word@host`, where a blank is missing) its beginning. */
function shownName(name: string): string {
  return name.length > 256 || /[^\w./*-]/.test(name) ? `${/^[\w./*-]{0,64}/.exec(name)?.[0] ?? ''}…` : name;
}

interface Place {
  readonly line: number;
  readonly column: number;
}

/** CONFIG_INVALID: `path:line:column: field: what`. */
function wrong(path: string, place: Place | undefined, field: FieldPath, what: string, cause?: unknown): LivetapeError {
  const name = field.map(shownName).join('.');
  const where = place === undefined ? path : `${path}:${place.line}:${place.column}`;
  return new LivetapeError('CONFIG_INVALID', `${where}: ${name === '' ? '' : `${name}: `}${what}`, {
    cause,
    context: { path, line: place?.line, column: place?.column, field: name },
  });
}

/** Refuses aliases that stand for nothing, that hold themselves, or that make a small file say very much. */
function checkAliases(contents: Node | null, refuse: (node: Node | undefined, what: string) => LivetapeError): void {
  const anchors = new Map<string, Node>();
  /** How many values a collection holds; infinite while it is being counted, which is what an alias to it inside itself finds. */
  const counts = new Map<Node, number>();
  const count = (node: unknown): number => {
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target === undefined) throw refuse(node, 'there is no such anchor before it; a value that begins with "*" is written in quotes');
      if (counts.get(target) === Infinity) throw refuse(node, 'the alias stands inside what it stands for');
      return counts.get(target) ?? 1;
    }
    if (!isMap(node) && !isSeq(node)) {
      if (isScalar(node) && node.anchor !== undefined) anchors.set(node.anchor, node);
      return 1;
    }
    if (node.anchor !== undefined) anchors.set(node.anchor, node);
    counts.set(node, Infinity);
    const total = node.items.reduce((sum: number, item) => sum + count(isPair(item) ? item.value : item), 1);
    counts.set(node, total);
    return total;
  };
  if (count(contents) > MAX_VALUES) throw refuse(undefined, 'its aliases repeat too much');
}

function isPair(item: unknown): item is Pair {
  return typeof item === 'object' && item !== null && 'value' in item && 'key' in item;
}

/** The name of a pair; undefined of a merge key. */
export function nameOf({ key }: Pair): string | undefined {
  if (!isScalar(key)) return undefined;
  return key.value === '<<' && key.type === 'PLAIN' ? undefined : String(key.value);
}

/** Where a field is said: its value where that is one word, else its name; of one that is not there, what would hold it. */
function offsetOf(yaml: Document, field: FieldPath, ofName = false): number {
  let offset = 0;
  let node: unknown = yaml.contents;
  for (const name of field) {
    const held = resolved(yaml, node);
    const item: unknown = isSeq(held) ? held.items[Number(name)] : undefined;
    if (isNode(item)) {
      offset = item.range?.[0] ?? offset;
      node = item;
      continue;
    }
    const pair = isMap(held) ? findPair(yaml, held, name) : undefined;
    if (pair === undefined) return offset;
    offset = (pair.key as Node).range?.[0] ?? offset;
    node = pair.value;
  }
  return !ofName && isScalar(node) && node.range && node.range[1] > node.range[0] ? node.range[0] : offset;
}

function resolved(yaml: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(yaml) : node;
}

/** A pair of a mapping, its own or one that it merges. */
function findPair(yaml: Document, map: YAMLMap, name: string): Pair | undefined {
  const own = map.items.find((pair) => nameOf(pair) === name);
  if (own !== undefined) return own;
  for (const merge of map.items.filter((pair) => nameOf(pair) === undefined)) {
    const sources = resolved(yaml, merge.value);
    for (const source of isSeq(sources) ? sources.items : [sources]) {
      const merged = resolved(yaml, source);
      const found = isMap(merged) ? findPair(yaml, merged, name) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
