/**
 * Ownership of a folder: the contract, and what only folders meet: sockets of the dead, things that are no sockets, deep paths, folders that
 * are removed, swapped and copied. What takes several processes is in test/ownership.test.ts.
 */
import { execFileSync } from 'node:child_process';
import { link, lstat, mkdir, mkdtemp, readFile, readdir, realpath, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, silentLogger } from '../../base/index.js';
import { ownershipContract } from '../ownershipContract.js';
import { rejects } from '../storageContract.js';
import { ownFolder } from './fsOwnership.js';
import { identify, isListening, listenIn } from './fsOwnershipSocket.js';
import { openFsStorage } from './fsStorage.js';

const made: string[] = [];
async function temporary(): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'livetape-own-')));
  made.push(path);
  return path;
}
afterEach(async () => {
  await Promise.all(made.splice(0).map((path) => rm(path, { recursive: true, force: true })));
});

const options = { clock: new ManualClock(Date.UTC(2026, 0, 2, 3, 4, 5, 678)), log: silentLogger };

ownershipContract('fs', async () => openFsStorage(await temporary(), options));
ownershipContract('fs, deeper than a socket may lie', async () => {
  return openFsStorage(join(await temporary(), 'a'.repeat(60), 'ü'.repeat(100)), options);
});

/** A socket on which nobody listens any more, as a killed owner leaves it. */
async function deadSocket(folder: string, name: string): Promise<void> {
  const socket = await listenIn(folder);
  await link(socket.path, join(folder, name));
  await socket.close();
  expect(await isListening(join(folder, name))).toBe(false);
}

/** The name of the claim on what stands at a path. */
async function claimOn(path: string): Promise<string> {
  const identity = await identify(path);
  return `owner-${identity?.inode}-${identity?.madeNs}.sock.tmp`;
}

const descriptors = async (): Promise<number> => (await readdir('/proc/self/fd')).length;

describe('ownership of a folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await temporary();
  });

  it('shows as one socket while it lasts, and leaves nothing', async () => {
    const owned = await ownFolder(folder, options);
    expect(await readdir(folder)).toEqual(['owner.sock']);
    expect((await lstat(join(folder, 'owner.sock'))).isSocket()).toBe(true);
    expect((await lstat(join(folder, 'owner.sock'))).mode & 0o777).toBe(0o666);
    await owned.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('K6: takes over from the dead at once, and of many who try one wins', async () => {
    for (let round = 0; round < 40; round++) {
      await deadSocket(folder, 'owner.sock');
      const tries = await Promise.allSettled(Array.from({ length: 8 }, () => ownFolder(folder, options)));
      const won = tries.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      for (const outcome of tries) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'STREAM_OWNED' });
      expect(won).toHaveLength(1);
      await won[0]?.check();
      expect(await readdir(folder)).toEqual(['owner.sock']);
      await won[0]?.release();
    }
  });

  it('sweeps what killed claimants left, and neither the living nor the newest', async () => {
    const living = await listenIn(folder);
    const names = ['owner-1-2.sock.tmp', 'owner-0123456789ab.sock.tmp', 'owner-3-4.sock.tmp'];
    for (const name of names) await deadSocket(folder, name);
    for (const path of [...names.slice(0, 2).map((name) => join(folder, name)), living.path]) await utimes(path, 1e9, 1e9);
    const owned = await ownFolder(folder, options);
    expect((await readdir(folder)).sort()).toEqual(['owner-3-4.sock.tmp', basename(living.path), 'owner.sock'].sort());
    await owned.release();
    await living.close();
  });

  it('K6: takes over from the dead when those who tried before it died on the way', async () => {
    await deadSocket(folder, 'owner.sock');
    let name = 'owner.sock';
    for (let i = 0; i < 4; i++) {
      name = await claimOn(join(folder, name));
      await deadSocket(folder, name);
    }
    const tries = await Promise.allSettled(Array.from({ length: 4 }, () => ownFolder(folder, options)));
    const won = tries.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(won).toHaveLength(1);
    await won[0]?.check();
    expect(await readdir(folder)).toEqual(['owner.sock']);
    await won[0]?.release();
  });

  it('waits for one who is just about to take over, and refuses when that one does not get on', async () => {
    await deadSocket(folder, 'owner.sock');
    const claimant = await listenIn(folder);
    const claim = join(folder, await claimOn(join(folder, 'owner.sock')));
    await link(claimant.path, claim);
    await rejects(ownFolder(folder, options), 'STREAM_OWNED');
    const waiting = ownFolder(folder, options);
    await unlink(claim);
    await claimant.close();
    const owned = await waiting;
    await owned.check();
    await owned.release();
  });

  it.each([
    ['a file', (path: string) => writeFile(path, 'kept')],
    ['an empty file', (path: string) => writeFile(path, '')],
    ['a folder', (path: string) => mkdir(path)],
    ['a link that leads nowhere', (path: string) => symlink('nowhere', path)],
    ['a link to a living socket elsewhere', (path: string) => symlink('other/owner.sock', path)],
  ])('sets aside %s in the place of the socket', async (_, make) => {
    await mkdir(join(folder, 'other'));
    const other = await ownFolder(join(folder, 'other'), options);
    await make(join(folder, 'owner.sock'));
    const tries = await Promise.allSettled(Array.from({ length: 4 }, () => ownFolder(folder, options)));
    const won = tries.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(won).toHaveLength(1);
    await won[0]?.check();
    await other.check();
    expect((await readdir(folder)).sort()).toEqual(['other', 'owner.sock', 'owner.sock.corrupt-20260102T030405.678Z']);
    const aside = join(folder, 'owner.sock.corrupt-20260102T030405.678Z');
    if ((await lstat(aside)).size === 4) expect(await readFile(aside, 'utf8')).toBe('kept');
    await won[0]?.release();
    await other.release();
  });

  it('sets a second thing aside beside the first', async () => {
    for (const text of ['one', 'two']) {
      await writeFile(join(folder, 'owner.sock'), text);
      await (await ownFolder(folder, options)).release();
    }
    const names = (await readdir(folder)).sort();
    expect(await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).toEqual(['one', 'two']);
  });

  it('K7: is lost when the socket is removed, for good, and takes nothing with it', async () => {
    const first = await ownFolder(folder, options);
    await first.check();
    await unlink(join(folder, 'owner.sock'));
    await rejects(first.check(), 'OWNERSHIP_LOST');
    const second = await ownFolder(folder, options);
    await rejects(first.check(), 'OWNERSHIP_LOST');
    await first.release();
    await second.check();
    await second.release();
  });

  it('K7: is lost when the folder is removed, moved away, or another is put in its place, and not when it is back', async () => {
    const news = join(folder, 'news');
    for (const swap of [false, true]) {
      await mkdir(news);
      const owned = await ownFolder(news, options);
      await rename(news, join(folder, 'old'));
      if (swap) {
        await mkdir(news);
        const second = await ownFolder(news, options);
        await rejects(owned.check(), 'OWNERSHIP_LOST');
        await owned.release();
        await second.check();
        await second.release();
      } else await rejects(owned.check(), 'OWNERSHIP_LOST');
      await rm(news, { recursive: true, force: true });
      await rename(join(folder, 'old'), news);
      await rejects(owned.check(), 'OWNERSHIP_LOST');
      await owned.release();
      // what it left in the folder that was moved is a dead socket
      await (await ownFolder(news, options)).release();
      await rm(news, { recursive: true });
    }
  });

  it('does no harm in a copy, which is owned by itself', async () => {
    await mkdir(join(folder, 'news'));
    await writeFile(join(folder, 'news/000000.ts'), 'x');
    const owned = await ownFolder(join(folder, 'news'), options);
    execFileSync('cp', ['-r', join(folder, 'news'), join(folder, 'copy')]);
    execFileSync('cp', ['-a', join(folder, 'news'), join(folder, 'exact')]);
    for (const name of ['copy', 'exact']) {
      expect((await readdir(join(folder, name))).sort()).toEqual(['000000.ts', 'owner.sock']);
      expect(await openFsStorage(folder, options).stream(name).list()).toEqual(['000000.ts']);
      const copy = await ownFolder(join(folder, name), options);
      await owned.check();
      await copy.check();
      await copy.release();
      expect(await readdir(join(folder, name))).toEqual(['000000.ts']);
    }
    await owned.release();
  });

  it('holds one descriptor a stream, and none afterwards', async () => {
    const storage = openFsStorage(folder, options);
    const places = Array.from({ length: 200 }, (_, i) => storage.stream(`stream-${i}`));
    for (const place of places) await place.create();
    // what the first one opens for good
    await (await places[0]!.own()).release();
    const before = await descriptors();
    const owned = await Promise.all(places.map((place) => place.own()));
    expect((await descriptors()) - before).toBe(200);
    for (const place of places) await rejects(place.own(), 'STREAM_OWNED');
    for (const one of owned) await one.check();
    await Promise.all(owned.map((one) => one.release()));
    expect(await descriptors()).toBe(before);
  });
});
