/** K7 in a folder: a writer that was robbed leaves alone what the new owner has under way, whatever it still does itself. */
import { mkdtemp, readFile, readdir, realpath, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, silentLogger } from '../base/index.js';
import { openFsStorage, type StreamStorage } from '../storage/index.js';
import { rejects } from '../../test/archiveLab.js';
import { OwnedPlace } from './owned.js';

const options = { clock: new ManualClock(Date.UTC(2026, 0, 2)), log: silentLogger };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('K7: an upload of a writer that was robbed', () => {
  let root: string;
  let folder: string;
  let robbed: OwnedPlace;
  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'livetape-owned-')));
    folder = join(root, 'news');
    robbed = await take();
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  /** Another writer's place, as another process has it. */
  async function take(): Promise<OwnedPlace> {
    const place: StreamStorage = openFsStorage(root, options).stream('news');
    await place.create();
    return new OwnedPlace(place, await place.own());
  }

  async function rob(): Promise<OwnedPlace> {
    await unlink(join(folder, 'owner.sock'));
    return take();
  }

  it("is not made: the new owner's of the same number goes on", async () => {
    const theirs = (await rob()).put('000000.ts');
    await theirs.write(bytes('theirs'));
    const ours = robbed.put('000000.ts');
    await rejects(ours.write(bytes('ours')), 'OWNERSHIP_LOST');
    await rejects(ours.commit(), 'OWNERSHIP_LOST');
    await ours.abort();
    expect((await readdir(folder)).sort()).toEqual(['000000.ts.part', 'owner.sock']);
    await theirs.commit();
    expect((await readdir(folder)).sort()).toEqual(['000000.ts', 'owner.sock']);
    expect(await readFile(join(folder, '000000.ts'), 'utf8')).toBe('theirs');
  });

  it("that was under way does not remove the new owner's when it is given up", async () => {
    const ours = robbed.put('000000.ts');
    await ours.write(bytes('ours'));
    const theirs = (await rob()).put('000000.ts');
    // Ours is remains to them, and is moved aside.
    await theirs.write(bytes('theirs'));
    await rejects(ours.write(bytes('more')), 'OWNERSHIP_LOST');
    await ours.abort();
    await theirs.commit();
    expect(await readFile(join(folder, '000000.ts'), 'utf8')).toBe('theirs');
    const aside = (await readdir(folder)).find((name) => name.includes('.corrupt-'));
    expect(await readFile(join(folder, aside ?? ''), 'utf8')).toBe('ours');
  });

  it('is made with its first bytes, and not after it was given up', async () => {
    const none = robbed.put('000000.ts');
    const late = none.write(bytes('late'));
    await none.abort();
    await rejects(late, 'CLOSED');
    await rejects(none.write(bytes('later')), 'CLOSED');
    expect(await readdir(folder)).toEqual(['owner.sock']);
    const upload = robbed.put('000000.ts');
    await upload.write(bytes('media'));
    expect((await readdir(folder)).sort()).toEqual(['000000.ts.part', 'owner.sock']);
    await upload.abort();
    expect(await readdir(folder)).toEqual(['owner.sock']);
  });
});
