/** Watches a playlist as it is written: every version goes through the playlist checker. */
import { watchFile, unwatchFile } from 'node:fs';
import { join } from 'node:path';
import { playlistOf, whenOver } from './lab.js';
import { PlaylistChecker } from './playlistChecker.js';

/** A watch that was begun. `violations()` reads the playlist once more and answers with all that was wrong. */
export interface Watch {
  violations(): Promise<string[]>;
  readonly versions: () => number;
}

/** Begins to watch the playlist in `folder`. */
export function watchPlaylist(folder: string): Watch {
  const checker = new PlaylistChecker();
  const found: string[] = [];
  let versions = 0;
  let last = '';
  const look = async (): Promise<void> => {
    const text = await playlistOf(folder);
    // A reader may come between the bytes of an entry: what has no newline at its end is not there yet.
    if (text === undefined || text === last || !text.endsWith('\n')) return;
    last = text;
    versions += 1;
    found.push(...checker.see(text).map((violation) => JSON.stringify(violation)));
  };
  const path = join(folder, 'playlist.m3u8');
  let chain = Promise.resolve();
  watchFile(path, { interval: 200 }, () => {
    chain = chain.then(look);
  });
  whenOver(() => unwatchFile(path));
  return {
    versions: () => versions,
    async violations() {
      await chain;
      await look();
      unwatchFile(path);
      return found;
    },
  };
}
