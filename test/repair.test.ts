/** livetape check --repair: mends each kind of damage, loses no packet, and run twice does nothing the second time. */
import { copyFileSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPAIR_ACTIONS, parsePlaylist, repairArchive, type FindingKind, type RepairActionKind } from '../src/archive/index.js';
import { isLivetapeError, silentLogger, systemClock } from '../src/base/index.js';
import { openFsStorage } from '../src/storage/index.js';
import { PlaylistChecker } from './playlistChecker.js';
import { rejects } from './archiveLab.js';
import { copyArchive, damage, missingPackets, packetsIn, Random, recordLoop } from './campaigns/damageLab.js';
import { alter, channel, check, cutOf, edit, place, recorded, repair } from './checkLab.js';
import { MUTATIONS } from './checkMutations.js';
import { faultyStorage } from './faultyStorage.js';
import { writeGoArchive } from './goArchive.js';
import { LONG, PROJECT, output, temporaryFolder } from './lab.js';

const MINUTE = channel(60);
const part = (fromSec: number, toSec: number): ReturnType<typeof cutOf> => cutOf(MINUTE, 60, fromSec, toSec);

let root: string;
let base: string;
/** Real pictures, for players. */
let demo: string;
afterAll(() => rm(root, { recursive: true, force: true }));
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'livetape-repair-'));
  base = await recorded([part(0, 12), { silenceSec: 8 }, part(20, 32), 'stop', part(40, 46)], { root });
  demo = await recordLoop(join(root, 'demo'), 'news', join(PROJECT, 'assets/demo.ts'), 20, 2);
  for (const folder of [base, demo]) expect((await check(folder)).findings).toEqual([]);
});

async function copy(from = base): Promise<string> {
  const folder = join(await temporaryFolder(), 'news');
  await copyArchive(from, folder);
  return folder;
}

interface Entry {
  readonly uri: string;
  readonly wallMs: number;
  readonly sec: number;
  readonly text: string;
}

function entriesOf(folder: string): Entry[] {
  const text = readFileSync(join(folder, 'playlist.m3u8'), 'utf8');
  return [...text.matchAll(/((?:#.*\n)+)(\d+\.ts)\n/g)].map(([whole, tags = '', uri = '']) => ({
    uri,
    wallMs: Date.parse(/DATE-TIME:(\S+)/.exec(tags)?.[1] ?? ''),
    sec: Number(/EXTINF:([\d.]+)/.exec(tags)?.[1]),
    text: whole,
  }));
}

/** What holds after every repair: nothing is left to find, players may have it, a second repair does nothing. */
async function expectMended(folder: string, before: ReadonlyMap<string, number>): Promise<void> {
  const { findings, damages } = await check(folder);
  expect(damages, JSON.stringify(findings)).toEqual([]);
  expect(new PlaylistChecker().see(readFileSync(join(folder, 'playlist.m3u8'), 'utf8'))).toEqual([]);
  expect(missingPackets(before, await packetsIn(folder))).toBe(0);
  const files = async (): Promise<string[]> =>
    (await readdir(folder)).map((name) => `${name} ${statSync(join(folder, name)).mtimeMs} ${statSync(join(folder, name)).size}`).sort();
  const after = await files();
  expect(await repair(folder)).toEqual([]);
  expect(await files()).toEqual(after);
}

describe('K16, K17: each kind of damage is mended', () => {
  it.each(MUTATIONS.filter(([kind]) => kind !== 'playlist_newer'))('%s: %s', async (kind, _file, mutate) => {
    const folder = await copy();
    mutate(folder);
    const before = await packetsIn(folder);
    const damaged = (await check(folder)).damages.length > 0;
    const actions = await repair(folder);
    expect(actions.length > 0).toBe(damaged);
    for (const action of actions) expect(action.message).toContain(action.file);
    await expectMended(folder, before);
    const textOnly: FindingKind[] = [
      ...(['playlist_unreadable', 'header_wrong', 'entry_unreadable', 'entry_torn', 'entry_incomplete'] as const),
      ...(['sequence_wrong', 'sums_wrong', 'time_wrong', 'duration_wrong', 'segment_keys', 'playlist_missing'] as const),
    ];
    if (!textOnly.includes(kind)) return;
    // the media is whole, so all of it is there again, when it was
    const [now, then] = [entriesOf(folder), entriesOf(base)];
    expect(now.map(({ uri }) => uri)).toEqual(then.map(({ uri }) => uri));
    const lost = kind === 'playlist_missing' || kind === 'playlist_unreadable';
    for (const [at, entry] of now.entries()) {
      const was = then[at];
      expect(entry.sec, entry.uri).toBeCloseTo(was?.sec ?? NaN, 3);
      // without a playlist, index.json knows where the two gaps of more than a second were
      expect(Math.abs(entry.wallMs - (was?.wallMs ?? NaN)), `${kind} ${entry.uri}`).toBeLessThan(lost ? 250 : 3);
    }
  });

  it('a newer format is refused, and nothing is changed', async () => {
    const folder = await copy();
    edit(folder, 'playlist.m3u8', (text) => text.replace('format=1', 'format=2'));
    const text = readFileSync(join(folder, 'playlist.m3u8'), 'utf8');
    await rejects(repair(folder), 'ARCHIVE_FORMAT_NEWER');
    expect(readFileSync(join(folder, 'playlist.m3u8'), 'utf8')).toBe(text);
  });
});

describe('what a repair does with media', () => {
  it('leaves a whole archive alone', async () => {
    const folder = await copy();
    await expectMended(folder, await packetsIn(folder));
  });

  it('gives swapped and renamed files their names again, three in a ring too', async () => {
    const folder = await copy();
    const at = (name: string): string => join(folder, name);
    for (const [from, to] of [
      ['000001.ts', 'x'],
      ['000002.ts', '000001.ts'],
      ['000003.ts', '000002.ts'],
      ['x', '000003.ts'],
      ['000007.ts', 'seven.bak'],
    ] as const)
      renameSync(at(from), at(to));
    const before = await packetsIn(folder);
    const actions = await repair(folder);
    expect(actions.map(({ action, file }) => `${action} ${file}`).sort()).toEqual(
      ['1', '2', '3', '7'].map((n) => `file_renamed 00000${n}.ts`),
    );
    expect(readFileSync(at('playlist.m3u8'), 'utf8')).toBe(readFileSync(join(base, 'playlist.m3u8'), 'utf8'));
    await expectMended(folder, before);
  });

  it('makes a gap of a segment that is gone, and of the tail of one that is short, when more than a second is missing', async () => {
    const folder = await copy();
    rmSync(join(folder, '000003.ts'));
    rmSync(join(folder, '000004.ts'));
    alter(folder, '000007.ts', (bytes) => bytes.subarray(0, bytes.length - 1000));
    const before = await packetsIn(folder);
    const actions = (await repair(folder)).map(({ action, file }) => `${action} ${file}`);
    expect(actions).toContain('entry_removed 000003.ts');
    expect(actions).toContain('gap_added 000005.ts');
    expect(actions).toContain('file_trimmed 000007.ts');
    expect(actions).toContain('entry_kept_damaged 000007.ts');
    expect(actions).not.toContain('gap_added 000008.ts');
    const five = entriesOf(folder).find(({ uri }) => uri === '000005.ts');
    const was = entriesOf(base);
    expect(five?.wallMs).toBe(was[5]?.wallMs);
    expect(five?.text).toMatch(new RegExp(`^#EXT-X-DISCONTINUITY\n[^]* gap=${was[3]?.wallMs} why=disk`));
    await expectMended(folder, before);
  });

  it('sets aside what cannot be played, listed or not, and trims and enters what can', async () => {
    const folder = await copy();
    alter(folder, '000003.ts', (bytes) => bytes.subarray(0, 100));
    writeFileSync(join(folder, '000050.ts'), 'not a stream');
    copyFileSync(join(folder, '000001.ts'), join(folder, '000060.ts.part'));
    alter(folder, '000060.ts.part', (bytes) => bytes.subarray(0, bytes.length - 30));
    const before = await packetsIn(folder);
    const actions = (await repair(folder)).map(({ action, file }) => `${action} ${file}`);
    expect(actions).toEqual(
      expect.arrayContaining([
        'file_set_aside 000003.ts',
        'file_set_aside 000050.ts',
        'file_trimmed 000060.ts.part',
        'file_renamed 000060.ts',
        'entry_added 000060.ts',
      ]),
    );
    await expectMended(folder, before);
  });

  it('every action happens here', async () => {
    const folder = await copy();
    const done = new Set<RepairActionKind>();
    renameSync(join(folder, '000001.ts'), join(folder, 'one.bak'));
    alter(folder, '000003.ts', (bytes) => bytes.subarray(0, 100));
    alter(folder, '000005.ts', (bytes) => bytes.subarray(0, 3000));
    rmSync(join(folder, '000007.ts'));
    rmSync(join(folder, '000008.ts'));
    copyFileSync(join(folder, '000009.ts'), join(folder, '000060.ts'));
    for (const { action } of await repair(folder)) done.add(action);
    expect([...done].sort()).toEqual(Object.keys(REPAIR_ACTIONS).sort());
  });
});

describe('K18: where wall times come from', () => {
  const lost = async (change: (folder: string) => void): Promise<{ folder: string; sources: Map<string, string | undefined> }> => {
    const folder = await copy();
    change(folder);
    const actions = await repair(folder);
    const sources = new Map(actions.filter(({ action }) => action === 'entry_added').map(({ file, wallTimeFrom }) => [file, wallTimeFrom]));
    for (const { action, message, wallTimeFrom } of actions)
      if (action === 'entry_added') expect(message).toContain(`from: ${wallTimeFrom}`);
    return { folder, sources };
  };

  it('from a playlist that was set aside', async () => {
    const { folder, sources } = await lost((at) => renameSync(join(at, 'playlist.m3u8'), join(at, 'playlist.m3u8.corrupt-1')));
    expect(new Set(sources.values())).toEqual(new Set(['entry']));
    expect(entriesOf(folder).map(({ uri, wallMs, sec }) => [uri, wallMs, sec])).toEqual(
      entriesOf(base).map(({ uri, wallMs, sec }) => [uri, wallMs, sec]),
    );
  });

  it('from index.json at the beginning and behind its gaps, from the neighbour elsewhere', async () => {
    const { sources } = await lost((at) => rmSync(join(at, 'playlist.m3u8')));
    expect(sources.get('000000.ts')).toBe('index.json');
    expect(sources.get('000001.ts')).toBe('neighbour');
    expect([...sources.values()].filter((from) => from === 'index.json').length).toBeGreaterThan(1);
  });

  it('from the time of the file when nothing else is there', async () => {
    const endedMs = Date.UTC(2025, 5, 1, 12, 0, 0);
    const { folder, sources } = await lost((at) => {
      rmSync(join(at, 'playlist.m3u8'));
      rmSync(join(at, 'index.json'));
      utimesSync(join(at, '000000.ts'), endedMs / 1000, endedMs / 1000);
    });
    expect(sources.get('000000.ts')).toBe('file time');
    const [first] = entriesOf(folder);
    expect((first?.wallMs ?? 0) + (first?.sec ?? 0) * 1000).toBeCloseTo(endedMs, -1);
  });
});

describe('owning', () => {
  it('is refused while another owns the stream, and lets go when it is done', async () => {
    const folder = await copy();
    rmSync(join(folder, 'index.json'));
    const owner = await place(folder).own();
    await rejects(repair(folder), 'STREAM_OWNED');
    await owner.release();
    expect((await repair(folder)).map(({ action }) => action)).toEqual(['index_rebuilt']);
    await (await place(folder).own()).release();
  });
});

describe('K16: a medium that fails in the middle of a repair', () => {
  it('rejects with a code, loses nothing, and the next repair mends it', async () => {
    const spoil = (folder: string): void => {
      renameSync(join(folder, '000001.ts'), join(folder, 'x'));
      renameSync(join(folder, '000002.ts'), join(folder, '000001.ts'));
      renameSync(join(folder, 'x'), join(folder, '000002.ts'));
      alter(folder, '000004.ts', (bytes) => bytes.subarray(0, 3000));
      alter(folder, '000005.ts', (bytes) => bytes.subarray(0, 90));
      edit(folder, 'playlist.m3u8', (text) => text.replace('n=8 ', 'n=x '));
    };
    const counted = await copy();
    spoil(counted);
    const run = async (folder: string, at: number): Promise<{ failed: unknown; operations: number }> => {
      const storage = faultyStorage(openFsStorage(join(folder, '..'), { clock: systemClock, log: silentLogger }), {
        at,
        errno: 'EIO',
        how: at % 2 === 0 ? 'before' : 'after',
      });
      const failed: unknown = await repairArchive(storage.stream('news'), { streamCode: 'news', clock: systemClock }).then(
        () => undefined,
        (error: unknown) => error,
      );
      return { failed, operations: storage.operations.length };
    };
    const { operations } = await run(counted, Infinity);
    expect(operations).toBeGreaterThan(50);
    let failures = 0;
    // every fifth operation and a few more, or this would take minutes
    for (let at = 0; at < operations; at += 5) {
      const folder = await copy();
      spoil(folder);
      const before = await packetsIn(folder);
      const { failed } = await run(folder, at);
      if (failed !== undefined) {
        failures += 1;
        expect(isLivetapeError(failed)).toBe(true);
      }
      await repair(folder);
      await expectMended(folder, before);
    }
    expect(failures).toBeGreaterThan(4);
  });
});

describe('K16, K17: any damage', () => {
  it('is named, mended, and played', async () => {
    let played = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 8 }), async (seed, count) => {
        const folder = await copy(played < 3 ? demo : base);
        const random = new Random(seed);
        const taken = new Set<string>();
        const damages = [];
        for (let i = 0; i < count; i++) damages.push(await damage(folder, random, taken));
        const before = await packetsIn(folder);
        const { findings } = await check(folder);
        expect(findings.length, JSON.stringify(damages)).toBeGreaterThan(0);
        // with the playlist whole each file is named; where entries are lost nothing can say what their files were
        if (!taken.has('playlist.m3u8')) {
          for (const { kind, files, detail } of damages)
            for (const file of files)
              expect(
                findings.some((found) => found.file === file),
                `${kind} ${file} ${detail}: ${JSON.stringify(findings)}`,
              ).toBe(true);
        }
        await repair(folder);
        await expectMended(folder, before);
        if (played++ < 3) await output('ffmpeg', ['-nostdin', '-v', 'fatal', '-i', join(folder, 'playlist.m3u8'), '-f', 'null', '-']);
      }),
      { numRuns: LONG ? 400 : 15 },
    );
  });

  it('of the text of the playlist, by any bytes, is mended', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.uint8Array({ minLength: 1, maxLength: 40 })), {
          minLength: 1,
          maxLength: 4,
        }),
        async (writes) => {
          const folder = await copy();
          alter(folder, 'playlist.m3u8', (bytes) => {
            for (const [at, by] of writes) bytes.set(by.subarray(0, bytes.length), Math.floor(at * (bytes.length - by.length)));
            return bytes;
          });
          const before = await packetsIn(folder);
          try {
            await repair(folder);
          } catch (error) {
            expect(isLivetapeError(error, 'ARCHIVE_FORMAT_NEWER'), String(error)).toBe(true);
            return;
          }
          await expectMended(folder, before);
        },
      ),
      { numRuns: LONG ? 1000 : 25 },
    );
  });
});

it('an archive of the Go system keeps its times when an entry leaves, and is whole afterwards', async () => {
  const folder = join(await temporaryFolder(), 'news');
  await writeGoArchive(
    folder,
    {
      pruned: 2,
      runs: [
        { segments: 6, downSec: 0 },
        { segments: 5, downSec: 30 },
      ],
      collides: true,
    },
    Date.now() - 3_600_000,
  );
  const times = async (): Promise<Map<string, number>> =>
    new Map((await parsePlaylist(place(folder))).map(({ uri, wallTime }) => [uri, wallTime.getTime()]));
  const then = await times();
  rmSync(join(folder, '000003.ts'));
  const before = await packetsIn(folder);
  const actions = await repair(folder);
  expect(actions.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['entry_removed', 'entry_added', 'playlist_rebuilt', 'index_rebuilt']),
  );
  const now = await times();
  for (const [uri, ms] of then) if (uri !== '000003.ts') expect(now.get(uri), uri).toBe(ms);
  expect((await check(folder)).damages).toEqual([]);
  expect(missingPackets(before, await packetsIn(folder))).toBe(0);
  expect(await repair(folder)).toEqual([]);
});
