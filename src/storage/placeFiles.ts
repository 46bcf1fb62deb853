/**
 * The files of a stream's place under their own names, unfinished ones and those set aside too: what recovery, check and repair work on, since
 * damage does not keep to committed names. A medium without files (an object store) has objects in their place.
 */
import { LivetapeError } from '../base/index.js';
import { CORRUPT_MARK } from './names.js';

/** What is known of a file. */
export interface FileFacts {
  readonly sizeBytes: number;
  /** UTC milliseconds; undefined where the medium does not know. */
  readonly modifiedMs: number | undefined;
}

/** Every file of a place. Names are single words; changes are for the owner of the place, and durable when the promise is kept. */
export interface PlaceFiles {
  /** All names there are, in no order, one after another: a place may hold a million. None when there is no place. */
  list(): AsyncIterable<string>;
  /** Undefined when there is no such file. */
  stat(name: string): Promise<FileFacts | undefined>;
  /** Bytes [fromByte, toByte); shorter when it ends before; undefined when there is no such file. */
  read(name: string, fromByte: number, toByte: number): Promise<Uint8Array | undefined>;
  /** Gives a file another name. Rejects with STORAGE_FAILED when it is not there or the new name is taken. */
  rename(from: string, to: string): Promise<void>;
  /** Cuts a file off behind `sizeBytes`; what is before, and its name, are durable then, whoever wrote them. */
  trim(name: string, sizeBytes: number): Promise<void>;
  /** Copies a file. Rejects with STORAGE_FAILED when it is not there or the new name is taken; after another failure part of a copy may remain. */
  copy(from: string, to: string): Promise<void>;
  /** Removes a file. True when there was one. Not durable: a power cut may bring it back. */
  remove(name: string): Promise<boolean>;
}

/** The name, when it is a single word. */
export function checkWord(name: string): string {
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)) return name;
  throw new LivetapeError('PATH_OUTSIDE_ROOT', `${JSON.stringify(name.slice(0, 80))} does not name a file of the stream's own`);
}

/** Renames a file to `NAME.corrupt-<UTC time>`, so that it is never read nor overwritten; answers with the new name. */
export async function setAside(files: PlaceFiles, name: string, nowMs: number): Promise<string> {
  const free = await freeName(files, name, nowMs);
  await files.rename(name, free);
  return free;
}

/** Copies a file to such a name, before something is cut off from it. */
export async function copyAside(files: PlaceFiles, name: string, nowMs: number): Promise<string> {
  const free = await freeName(files, name, nowMs);
  await files.copy(name, free);
  return free;
}

async function freeName(files: PlaceFiles, name: string, nowMs: number): Promise<string> {
  const target = `${name}${CORRUPT_MARK}${new Date(nowMs).toISOString().replaceAll(/[-:]/g, '')}`;
  for (let n = 1; ; n++) {
    const free = n === 1 ? target : `${target}-${n}`;
    if ((await files.stat(free)) === undefined) return free;
  }
}
