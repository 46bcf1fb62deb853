/** The lines of a queue's file: texts with their numbers (`[17,{…}]`), and marks of what was taken and what is gone (`["gone",3,17]`). */
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** As much as is read or written at once. */
const BLOCK_BYTES = 256 * 1024;
/** Bytes of a line beside its text, at most. */
const MAX_HEAD_BYTES = 64;

/** Where a text lies in the file. */
export interface Place {
  readonly at: number;
  readonly length: number;
}

/** What a mark says of the texts with the numbers `from` to `to`. */
export interface Mark {
  readonly what: 'taken' | 'gone';
  readonly from: number;
  readonly to: number;
}

/** The line of a text, and where in it that stands. */
export function line(number: number, text: string): { readonly bytes: Buffer; readonly textAt: number; readonly length: number } {
  const head = `[${number},`;
  return { bytes: Buffer.from(`${head}${text}]\n`), textAt: head.length, length: Buffer.byteLength(text) };
}

/** The line of a mark. */
export function mark(what: Mark['what'], from: number, to: number): Buffer {
  return Buffer.from(`${JSON.stringify([what, from, to])}\n`);
}

/** The text in a line that begins at `at`; undefined where there is none. */
export function recordOf(text: string, at: number): (Place & { readonly number: number }) | undefined {
  const head = /^\[(\d{1,15}),/.exec(text);
  if (head === null || parsed(text) === undefined) return undefined;
  return { number: Number(head[1]), at: at + head[0].length, length: Buffer.byteLength(text) - head[0].length - 1 };
}

/** What a line says when it is a mark. */
export function markOf(text: string): Mark | undefined {
  const [, what, from, to] = /^\["(taken|gone)",(\d{1,15}),(\d{1,15})\]$/.exec(text) ?? [];
  return what === undefined ? undefined : { what: what as Mark['what'], from: Number(from), to: Number(to) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * Reads the lines of a file, and answers with where the last whole one ends: what is written next goes there. A line that is longer than what a queue with texts of
 * `maxBytes` writes is passed over. A file that is not there has no lines.
 */
export async function readLines(path: string, maxBytes: number, heard: (text: string, at: number) => void): Promise<number> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
  try {
    const block = Buffer.alloc(BLOCK_BYTES);
    /** Of the line that is being read; none while it is too long. */
    let pieces: Buffer[] = [];
    let [lineAt, at, held, tooLong] = [0, 0, 0, false];
    for (;;) {
      const { bytesRead } = await handle.read(block, 0, block.length, at);
      if (bytesRead === 0) return lineAt;
      let from = 0;
      for (;;) {
        const found = block.subarray(0, bytesRead).indexOf(0x0a, from);
        const piece = block.subarray(from, found < 0 ? bytesRead : found);
        held += piece.length;
        tooLong ||= held > maxBytes + MAX_HEAD_BYTES;
        if (tooLong) pieces = [];
        else pieces.push(found < 0 ? Buffer.from(piece) : piece);
        if (found < 0) break;
        if (!tooLong) heard(Buffer.concat(pieces).toString(), lineAt);
        [pieces, held, tooLong, from] = [[], 0, false, found + 1];
        lineAt = at + from;
      }
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

/** Opens the file to be written at any place; it and its folder are its user's alone. */
export async function openToWrite(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    return await open(path, 'r+');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return open(path, 'wx+', 0o600);
    throw error;
  }
}

/** Puts a file in the place of this one that holds nothing but these texts and what is taken of them. A power cut leaves the one or the other. */
export async function rewrite(
  path: string,
  from: FileHandle,
  places: ReadonlyMap<number, Place>,
  taken: { readonly from: number; readonly to: number } | undefined,
): Promise<{ readonly handle: FileHandle; readonly places: readonly (readonly [number, Place])[]; readonly sizeBytes: number }> {
  const temporary = `${path}.tmp`;
  await rm(temporary, { force: true });
  const handle = await open(temporary, 'wx+', 0o600);
  try {
    const moved: (readonly [number, Place])[] = [];
    let [lines, waiting, sizeBytes]: [Buffer[], number, number] = [[], 0, 0];
    const put = async (bytes: Buffer, isLast = false): Promise<void> => {
      lines.push(bytes);
      waiting += bytes.length;
      if (waiting < BLOCK_BYTES && !isLast) return;
      await handle.appendFile(Buffer.concat(lines));
      sizeBytes += waiting;
      [lines, waiting] = [[], 0];
    };
    for (const [number, { at, length }] of places) {
      const text = Buffer.alloc(length);
      await from.read(text, 0, length, at);
      const made = line(number, text.toString());
      moved.push([number, { at: sizeBytes + waiting + made.textAt, length: made.length }]);
      await put(made.bytes);
    }
    await put(taken === undefined ? Buffer.alloc(0) : mark('taken', taken.from, taken.to), true);
    await handle.datasync();
    await rename(temporary, path);
    return { handle, places: moved, sizeBytes };
  } catch (error) {
    await handle.close();
    await rm(temporary, { force: true });
    throw error;
  }
}
