/** livetape check: whole archives give no finding, each kind of damage gives its own, and a recorder beside it disturbs nothing. */
import { readFileSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FINDINGS, REPAIR_ACTIONS, checkArchive, openArchiveForWriting, type FindingKind } from '../src/archive/index.js';
import { ManualClock, isLivetapeError, silentLogger, systemClock } from '../src/base/index.js';
import { createMemoryStorage } from '../src/storage/index.js';
import { CONFIG, play, settle, testService } from '../src/recorder/testService.js';
import { endOf, factsAt } from './archiveLab.js';
import { copyArchive } from './campaigns/damageLab.js';
import { channel, check, cutOf, edit, place, readBy, recorded } from './checkLab.js';
import { MUTATIONS } from './checkMutations.js';
import { PROJECT, temporaryFolder } from './lab.js';
import { SAMPLE_NAMES, makeSample } from './samples.js';
import { TsBuilder } from './tsBuilder.js';

const MINUTE = channel(60);
const part = (fromSec: number, toSec: number): ReturnType<typeof cutOf> => cutOf(MINUTE, 60, fromSec, toSec);

describe('K14: a whole archive gives no finding', () => {
  it.each(SAMPLE_NAMES)('%s', async (name) => {
    const bytes = await makeSample(name);
    for (const segmentDuration of [1, 2]) {
      const { findings, report } = await check(await recorded([{ bytes, seconds: 4 }], { segmentDuration }));
      expect(findings).toEqual([]);
      expect(report.segments).toBeGreaterThan(0);
    }
  });

  it('with all programs of a multiplex', async () => {
    const bytes = await makeSample('two-programs');
    expect((await check(await recorded([{ bytes, seconds: 4 }], { program: 'all' }))).findings).toEqual([]);
  });

  it.each([
    ['gaps, a restart and two lives', [part(0, 5), { silenceSec: 8 }, part(20, 25), 'restart', part(40, 46), 'stop', part(50, 55)], 3],
    ['a silence after which the time stamps go on', [part(0, 5.3), { silenceSec: 8 }, part(5.3, 12)], 1],
    ['time stamps that come round', [{ bytes: channel(20, { startDts90k: 2 ** 33 - 900_000 }), seconds: 20 }], 10],
    ['cuts by force between keyframes', [{ bytes: channel(70, { gop: Infinity }), seconds: 70 }], 2],
    ['no video', [{ bytes: channel(20, { video: null }), seconds: 20 }], 5],
    ['B-frames and an odd frame rate', [{ bytes: channel(20, { bFrames: 3, fps: 30, gop: 45 }), seconds: 20 }], 5],
    [
      'other programs left out, null packets, tables now and then',
      [{ bytes: channel(20, { otherPrograms: 2, nullEvery: 3, tables: 700 }), seconds: 20 }],
      5,
    ],
  ] as const)('%s', async (_name, steps, least) => {
    const { findings, report } = await check(await recorded(steps));
    expect(findings).toEqual([]);
    expect(report.segments).toBeGreaterThanOrEqual(least);
  });

  it('of data alone, and without time stamps', async () => {
    const data = new TsBuilder();
    const untimed = new TsBuilder();
    for (let frame = 0; frame < 25 * 60; frame++) {
      if (frame % 25 === 0) {
        data.pat([{ number: 1, pmtPid: 0x100 }]).pmt(0x100, { program: 1, pcrPid: 0x1fff, streams: [{ pid: 0x101, streamType: 0x06 }] });
        untimed.pat([{ number: 1, pmtPid: 0x100 }]).pmt(0x100, { program: 1, pcrPid: 0x1fff, streams: [{ pid: 0x101, streamType: 0x03 }] });
      }
      data.pes(0x101, { streamId: 0xbd, pts90k: 3600 * frame, payload: new Uint8Array(100) });
      untimed.pes(0x101, { streamId: 0xc0, payload: new Uint8Array(100).fill(0x55) });
    }
    for (const bytes of [data.bytes(), untimed.bytes()]) {
      const { findings, report } = await check(await recorded([{ bytes, seconds: 60 }]));
      expect(findings).toEqual([]);
      expect(report.segments).toBeGreaterThan(1);
    }
  });
});

let root: string;
let base: string;
afterAll(() => rm(root, { recursive: true, force: true }));
beforeAll(async () => {
  // two lives, a gap within each, and cuts every second
  root = await mkdtemp(join(tmpdir(), 'livetape-check-'));
  base = await recorded([part(0, 6), { silenceSec: 8 }, part(20, 26), 'stop', part(40, 46)], { root });
  expect((await check(base)).findings).toEqual([]);
});

async function copy(): Promise<string> {
  const folder = join(await temporaryFolder(), 'news');
  await copyArchive(base, folder);
  return folder;
}

describe('each kind of damage is found and named', () => {
  it.each(MUTATIONS)('%s: %s', async (kind, file, mutate) => {
    const folder = await copy();
    mutate(folder);
    const { findings } = await check(folder);
    const found = findings.find((each) => each.kind === kind && each.file === file);
    expect(found, JSON.stringify(findings)).toBeDefined();
    expect(found?.severity).toBe(FINDINGS[kind][0]);
    expect(found?.message).toContain(file);
  });

  it('a file that the medium will not read is one finding, and the others are checked', async () => {
    const folder = await copy();
    rmSync(join(folder, '000004.ts'));
    await mkdir(join(folder, '000004.ts'));
    const { damages, report } = await check(folder);
    expect(damages).toEqual(['segment_unreadable']);
    expect(report.segments).toBe(await entries(folder));
  });

  it('what was pruned and is still there is a note; what a repair entered damaged is one too', async () => {
    const folder = await copy();
    edit(folder, 'playlist.m3u8', (text) => {
      const [, own = ''] = /(#EXT-X-PROGRAM[^]*?\n000000\.ts\n)/.exec(text) ?? [];
      return text
        .replace(own, '')
        .replace('MEDIA-SEQUENCE:0', 'MEDIA-SEQUENCE:1')
        .replace(/ life=\d+/, '$& pruned=0-1')
        .replace(/(n=4 .*)\n/, '$1 damaged=segment_packets\n');
    });
    rmSync(join(folder, 'index.json'));
    const { findings } = await check(folder);
    expect(findings.map(({ kind, file }) => `${kind} ${file}`)).toEqual([
      'segment_damaged 000004.ts',
      'remains 000000.ts',
      'index_missing index.json',
    ]);
  });

  it('every kind is brought about here', () => {
    const others: FindingKind[] = ['segment_unreadable', 'remains', 'segment_damaged'];
    expect(new Set([...MUTATIONS.map(([kind]) => kind), ...others])).toEqual(new Set(Object.keys(FINDINGS)));
  });

  it('docs/guide/check.md lists every kind and every action, and no other', () => {
    const text = readFileSync(join(PROJECT, 'docs/guide/check.md'), 'utf8');
    const listed = [...text.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name]) => name);
    expect(listed).toEqual([...Object.keys(FINDINGS), ...Object.keys(REPAIR_ACTIONS)]);
  });
});

async function entries(folder: string): Promise<number> {
  const text = new TextDecoder().decode(await place(folder).readJournal(0, 1e9));
  return text.match(/^\d+\.ts$/gm)?.length ?? 0;
}

describe('K14: beside a recorder', () => {
  it('judges what was committed when it began, and says nothing of what is being written', async () => {
    const service = testService();
    const buffer = service.buffers.open('news');
    await service.dvr.startRecording('news', '', { ...CONFIG, segmentDuration: 1 });
    await play(service, buffer, part(0, 10).bytes, 10);
    const storage = service.storage.stream('news');
    let more = 10;
    // at every segment that is read, more comes
    const recording = readBy(storage, async (name, from, to) => {
      if (more < 40) await play(service, buffer, part(more, more + 2).bytes, 2);
      more += 2;
      return storage.files.read(name, from, to);
    });
    const findings: unknown[] = [];
    const report = await checkArchive(recording, { clock: systemClock, onFinding: (found) => findings.push(found) });
    expect(findings).toEqual([]);
    expect(report.segments).toBeGreaterThan(5);
    expect(more).toBeGreaterThan(20);
    await service.dvr.close();
  });

  it('takes a stop, a new life and a prune in the middle of it', async () => {
    const storage = createMemoryStorage();
    const news = storage.stream('news');
    const clock = new ManualClock();
    const options = { storage: news, streamCode: 'news', retention: true, clock, log: silentLogger };
    const archive = await openArchiveForWriting(options);
    await archive.beginLife(5);
    const media = channel(4);
    for (let i = 0; i < 8; i++) {
      const segment = archive.openSegment();
      void segment.write(media);
      await segment.commit(factsAt(endOf(archive), 4, { pts: undefined, keyframes: [] }));
    }
    const text = new TextDecoder().decode(await news.readJournal(0, 1e9));
    const without =
      text.slice(0, text.indexOf('#EXT-X-PROGRAM')).replace('MEDIA-SEQUENCE:0', 'MEDIA-SEQUENCE:5') +
      text.slice(text.indexOf('#EXT-X', text.indexOf('000004.ts')));
    let reads = 0;
    const pruned = readBy(news, async (name, from, to) => {
      if (++reads === 3) {
        await news.replaceJournal([without]);
        for (let i = 0; i < 5; i++) await news.remove(`00000${i}.ts`);
      }
      return news.files.read(name, from, to);
    });
    const findings: unknown[] = [];
    const report = await checkArchive(pruned, { clock, onFinding: (found) => findings.push(found) });
    expect(findings).toEqual([]);
    expect(report.segments).toBe(5);
    await archive.close();
    await settle();
  });
});

describe('other ways to end', () => {
  it('a stream that is not there is STREAM_NOT_FOUND, one that is ended early rejects with its reason', async () => {
    const folder = join(await temporaryFolder(), 'none');
    const missing = await check(folder).catch((error: unknown) => error);
    expect(isLivetapeError(missing, 'STREAM_NOT_FOUND')).toBe(true);
    const abort = new AbortController();
    const progress: number[] = [];
    const ended = checkArchive(place(base), {
      clock: systemClock,
      signal: abort.signal,
      onProgress: ({ segments }) => {
        progress.push(segments);
        if (segments === 3) abort.abort(new Error('enough'));
      },
    });
    await expect(ended).rejects.toThrow('enough');
    expect(progress).toEqual([1, 2, 3]);
  });
});
