/**
 * The file system: the contract, and what only a folder can have: links that lead out, remains of a crash, names of
 * its own, and errors by errno.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, realpath, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LivetapeError, ManualClock, silentLogger } from '../../base/index.js';
import { storageError } from '../errors.js';
import { rejects, storageContract } from '../storageContract.js';
import { openFolder, openFsStorage } from './fsStorage.js';

const made: string[] = [];
async function folder(): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'livetape-storage-')));
  made.push(path);
  return path;
}
afterEach(async () => {
  await Promise.all(made.splice(0).map((path) => rm(path, { recursive: true, force: true })));
});

const options = { clock: new ManualClock(Date.UTC(2026, 0, 2, 3, 4, 5, 678)), log: silentLogger };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

storageContract('fs', async () => openFsStorage(join(await folder(), 'root', 'not', 'yet', 'there'), options));
storageContract('one folder', async () => {
  const root = await folder();
  const storage = openFsStorage(root, options);
  return { ...storage, stream: (code) => (code.includes('/') ? storage.stream(code) : openFolder(join(root, code), options)) };
});

describe('storage/fs', () => {
  let root: string;
  let outside: string;
  beforeEach(async () => {
    root = await folder();
    outside = await folder();
  });
  const codes = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const code of openFsStorage(root, options).list()) found.push(code);
    return found.sort();
  };

  it('writes the files that the data format names, and leaves nothing else', async () => {
    const place = openFsStorage(root, options).stream('tv/news');
    await place.create();
    const upload = place.put('000000.ts');
    await upload.write(bytes('media'));
    expect((await readdir(join(root, 'tv/news'))).sort()).toEqual(['000000.ts.part']);
    await upload.commit();
    await place.appendJournal('#EXTM3U\n', 0);
    await place.replaceJournal(['#EXTM3U\n\n']);
    await place.putCache('index.json', '{}');
    expect((await readdir(join(root, 'tv/news'))).sort()).toEqual(['000000.ts', 'index.json', 'playlist.m3u8']);
    expect(await readFile(join(root, 'tv/news/000000.ts'), 'utf8')).toBe('media');
    expect(await readFile(join(root, 'tv/news/playlist.m3u8'), 'utf8')).toBe('#EXTM3U\n\n');
  });

  it('opens files that lie within the root, through links too, and nothing else', async () => {
    const place = openFsStorage(root, options).stream('news');
    await place.create();
    await mkdir(join(root, 'disk2'));
    await writeFile(join(root, 'disk2/000007.ts'), 'inside');
    await writeFile(join(outside, '000000.ts'), 'secret');
    await symlink(join(outside, '000000.ts'), join(root, 'news/000000.ts'));
    await symlink('../disk2/000007.ts', join(root, 'news/000001.ts'));
    await symlink('nowhere', join(root, 'news/000002.ts'));
    await mkdir(join(root, 'news/000003.ts'));
    execFileSync('mkfifo', [join(root, 'news/000004.ts')]);
    await symlink(outside, join(root, 'out'));
    await rejects(place.open('000000.ts'), 'PATH_OUTSIDE_ROOT');
    await rejects(openFsStorage(root, options).stream('out').open('000000.ts'), 'PATH_OUTSIDE_ROOT');
    const file = (await place.open('000001.ts'))!;
    expect([file.sizeBytes, file.modifiedMs]).toEqual([6, expect.any(Number)]);
    await file.close();
    for (const name of ['000002.ts', '000003.ts', '000004.ts']) expect(await place.open(name), name).toBeUndefined();
  });

  it('sets the remains of an interrupted upload aside, each under a name of its own', async () => {
    const place = openFsStorage(root, options).stream('news');
    await place.create();
    for (const remains of ['first', 'second']) {
      await writeFile(join(root, 'news/000000.ts.part'), remains);
      expect(await place.isTaken('000000.ts')).toBe(true);
      const upload = place.put('000000.ts');
      await upload.write(bytes('new'));
      await upload.abort();
    }
    expect((await readdir(join(root, 'news'))).sort()).toEqual([
      '000000.ts.part.corrupt-20260102T030405.678Z',
      '000000.ts.part.corrupt-20260102T030405.678Z-2',
    ]);
    expect(await readFile(join(root, 'news/000000.ts.part.corrupt-20260102T030405.678Z'), 'utf8')).toBe('first');
    expect(await readFile(join(root, 'news/000000.ts.part.corrupt-20260102T030405.678Z-2'), 'utf8')).toBe('second');
    expect(await place.list()).toEqual([]);
  });

  it("K7: neither commits nor removes another's file that stands where its own stood", async () => {
    const part = join(root, 'news/000000.ts.part');
    const robbed = async (rob: () => Promise<void>): Promise<void> => {
      const place = openFsStorage(root, options).stream('news');
      await place.create();
      const upload = place.put('000000.ts');
      await upload.write(bytes('ours'));
      await rob();
      await rejects(upload.commit(), 'STORAGE_FAILED');
      await upload.abort();
    };
    const swap = async (): Promise<void> => {
      await rm(part);
      await writeFile(part, 'theirs');
    };
    await robbed(swap);
    expect(await readdir(join(root, 'news'))).toEqual(['000000.ts.part']);
    expect(await readFile(part, 'utf8')).toBe('theirs');
    await rm(part);
    await robbed(() => rm(part));
    expect(await readdir(join(root, 'news'))).toEqual([]);
  });

  it('overwrites a replacement that a crash cut short, and does not list it', async () => {
    const place = openFsStorage(root, options).stream('news');
    await place.create();
    await place.appendJournal('old', 0);
    await writeFile(join(root, 'news/playlist.m3u8.tmp'), 'a longer remainder');
    expect(await place.list()).toEqual([]);
    await place.replaceJournal(['new']);
    expect(await readFile(join(root, 'news/playlist.m3u8'), 'utf8')).toBe('new');
    expect(await readdir(join(root, 'news'))).toEqual(['playlist.m3u8']);
  });

  it('leaves no temporary file when a replacement fails', async () => {
    const place = openFsStorage(root, options).stream('news');
    await place.create();
    await place.appendJournal('old', 0);
    await rejects(place.replaceJournal([{ fromByte: 0, toByte: 9 }]), 'ARCHIVE_CORRUPT');
    expect(await readdir(join(root, 'news'))).toEqual(['playlist.m3u8']);
  });

  it('refuses a folder that a link leads out of the root, before anything is made there', async () => {
    await symlink(outside, join(root, 'out'));
    const storage = openFsStorage(root, options);
    await rejects(storage.stream('out').create(), 'PATH_OUTSIDE_ROOT');
    await rejects(storage.stream('out/deeper/still').create(), 'PATH_OUTSIDE_ROOT');
    await symlink('..', join(root, 'up'));
    await rejects(storage.stream('up/x').create(), 'PATH_OUTSIDE_ROOT');
    // The root itself is not inside itself.
    await symlink('.', join(root, 'self'));
    await rejects(storage.stream('self').create(), 'PATH_OUTSIDE_ROOT');
    expect(await readdir(outside)).toEqual([]);
  });

  it('takes a link that stays inside, and a root that is a link', async () => {
    await mkdir(join(root, 'disk2'));
    await symlink('disk2', join(root, 'alias'));
    await symlink(root, join(outside, 'root'));
    const place = openFsStorage(join(outside, 'root'), options).stream('alias/news');
    await place.create();
    await place.appendJournal('x', 0);
    expect(await readFile(join(root, 'disk2/news/playlist.m3u8'), 'utf8')).toBe('x');
  });

  it('lists through links that stay inside, and not those that lead out or in a circle', async () => {
    for (const path of ['a', 'b/c']) {
      await mkdir(join(root, path), { recursive: true });
      await writeFile(join(root, path, 'playlist.m3u8'), 'x');
    }
    await mkdir(join(outside, 'o'));
    await writeFile(join(outside, 'o/playlist.m3u8'), 'x');
    await symlink(outside, join(root, 'out'));
    await symlink(join(root, 'b'), join(root, 'inside'));
    await symlink('..', join(root, 'b/up'));
    await symlink('../b', join(root, 'b/round'));
    await symlink('nowhere', join(root, 'dangling'));
    await mkdir(join(root, 'lost+found'));
    await writeFile(join(root, 'file'), 'x');
    expect(await codes()).toEqual(['a', 'b/c', 'inside/c']);
  });

  it('does not look into the folder of a stream', async () => {
    await mkdir(join(root, 'a/b'), { recursive: true });
    await writeFile(join(root, 'a/playlist.m3u8'), 'x');
    await writeFile(join(root, 'a/b/playlist.m3u8'), 'x');
    expect(await codes()).toEqual(['a']);
  });

  it('lists nothing where there is no root', async () => {
    await rm(root, { recursive: true });
    expect(await codes()).toEqual([]);
  });

  it('says which errno it was, and where', async () => {
    await writeFile(join(root, 'file'), 'x');
    const error = await openFsStorage(root, options)
      .stream('file/x')
      .create()
      .catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(LivetapeError);
    expect(error).toMatchObject({ code: 'STORAGE_UNWRITABLE', context: { errno: 'ENOTDIR', path: join(root, 'file/x') } });
  });

  it.each([
    ['ENOSPC', 'DISK_FULL'],
    ['EDQUOT', 'DISK_FULL'],
    ['EACCES', 'STORAGE_UNWRITABLE'],
    ['EPERM', 'STORAGE_UNWRITABLE'],
    ['EROFS', 'STORAGE_UNWRITABLE'],
    ['EIO', 'STORAGE_FAILED'],
    ['EMFILE', 'STORAGE_FAILED'],
  ])('%s is %s', (errno, code) => {
    const cause = Object.assign(new Error(`${errno}: no`), { code: errno });
    expect(storageError(cause, 'write x', { path: '/x' })).toMatchObject({
      code,
      cause,
      message: `cannot write x: ${errno}: no`,
      context: { errno, path: '/x' },
    });
  });

  it('reports a device that is full when it is written to', async () => {
    // /dev/full: every write is ENOSPC. A journal that is a link to it is the nearest to a full disk without a mount.
    const place = openFsStorage(root, options).stream('news');
    await place.create();
    await symlink('/dev/full', join(root, 'news/index.json.tmp'));
    await rejects(place.putCache('index.json', '{}'), 'DISK_FULL');
    await symlink('/dev/full', join(root, 'news/probe.tmp'));
    await rejects(place.create(), 'DISK_FULL');
  });

  it('fails the upload, not the process, when its folder is gone', async () => {
    const place = openFsStorage(root, options).stream('news');
    await place.create();
    const upload = place.put('000000.ts');
    await upload.write(bytes('x'));
    await rm(join(root, 'news'), { recursive: true });
    await rejects(upload.commit(), 'STORAGE_FAILED');
    await upload.abort();
    await rejects(place.appendJournal('x', 0), 'STORAGE_FAILED');
  });

  it('refuses to append when somebody has cut the journal', async () => {
    const place = openFsStorage(root, options).stream('news');
    await place.create();
    await place.appendJournal('0123456789', 0);
    await truncate(join(root, 'news/playlist.m3u8'), 4);
    await rejects(place.appendJournal('x', 10), 'ARCHIVE_CORRUPT');
    expect(await readFile(join(root, 'news/playlist.m3u8'), 'utf8')).toBe('0123');
  });
});
