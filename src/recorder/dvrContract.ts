/**
 * What DvrService promises (service.ts), as tests: every implementation runs through them. In real time on a real folder, since a recorder may be another
 * process; what a clock has to be moved for is in service.test.ts.
 */
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TsBuilder } from '../../test/tsBuilder.js';
import { LivetapeError, type ErrorCode } from '../base/index.js';
import type { DvrConfig } from './config.js';
import type { LiveSink } from './live.js';
import type { DvrService } from './service.js';

/** What is written into a media buffer. */
export interface Feed {
  write(bytes: Uint8Array): Promise<void>;
}

/** A service to be tested, and a way to its buffers. */
export interface ContractService {
  readonly dvr: DvrService;
  /** Feeds a buffer, which is made. Once for each buffer of a service. */
  feed(bufferId: string): Promise<Feed>;
}

/** Segments of a second. */
export const BRIEF: DvrConfig = { enabled: true, segmentDuration: 1, retentionSec: 0, maxSizeGb: 0, storagePath: '' };

const builder = new TsBuilder();
builder.stream({ seconds: 60, frameBytes: 400, keyframeBytes: 2000 });
const MINUTE = builder.bytes();
/** Seconds of a stream with a keyframe each second. */
export const piece = (fromSec: number, toSec: number): Uint8Array =>
  MINUTE.subarray(188 * Math.floor((builder.packets.length * fromSec) / 60), 188 * Math.floor((builder.packets.length * toSec) / 60));

/** The error that a promise rejects with; undefined when it is kept. */
export async function failure(promise: Promise<unknown>): Promise<LivetapeError | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) => {
      expect(error).toBeInstanceOf(LivetapeError);
      return error as LivetapeError;
    },
  );
}

async function code(promise: Promise<unknown>): Promise<ErrorCode | undefined> {
  return (await failure(promise))?.code;
}

/** Waits for a condition; the test fails when it does not come. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > endMs) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A folder that is gone when the test is. */
export async function testRoot(): Promise<string> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'livetape-dvr-')));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return root;
}

/** The playlist of a stream. */
export const playlist = (root: string, stream: string): Promise<string> => readFile(join(root, stream, 'playlist.m3u8'), 'utf8');

/** What was heard of a service, a line for each event. */
export function heard(dvr: DvrService): string[] {
  const events: string[] = [];
  dvr.on('recording.started', ({ recording }) => events.push(`started ${recording.id}`));
  dvr.on('recording.stopped', ({ recording }) => events.push(`stopped ${recording.id}`));
  dvr.on('recording.failed', ({ recording, error }) => events.push(`failed ${recording.id} ${error.code}`));
  dvr.on('segment.written', ({ streamCode, segment }) => events.push(`segment ${streamCode} ${segment.index}`));
  dvr.on('segment.pruned', ({ streamCode }) => events.push(`pruned ${streamCode}`));
  dvr.on('gap.opened', ({ streamCode, reason }) => events.push(`gap opened ${streamCode} ${reason}`));
  dvr.on('gap.closed', ({ streamCode, gap }) => events.push(`gap closed ${streamCode} ${gap?.reason ?? 'nothing lost'}`));
  return events;
}

/** A viewer that keeps what it is given. */
export class Viewer implements LiveSink {
  readonly segments: Buffer[] = [];
  readonly keyframes: boolean[] = [];
  end: string | undefined;
  segment(keyframe: boolean): void {
    this.segments.push(Buffer.alloc(0));
    this.keyframes.push(keyframe);
  }
  data(chunk: Uint8Array): void {
    this.segments.push(Buffer.concat([this.segments.pop() ?? Buffer.alloc(0), chunk]));
  }
  ended(reason: string): void {
    expect(this.end).toBeUndefined();
    this.end = reason;
  }
}

/**
 * Runs the suite over an implementation.
 * @param open - a service on a root; the suite closes it
 */
export function dvrContract(name: string, open: (root: string) => Promise<ContractService>): void {
  async function opened(root?: string): Promise<ContractService & { root: string }> {
    const folder = root ?? (await testRoot());
    const service = await open(folder);
    onTestFinished(() => service.dvr.close());
    return { dvr: service.dvr, feed: (id) => service.feed(id), root: folder };
  }

  describe(`the DvrService contract: ${name}`, () => {
    it('refuses, each with its code, message and context', async () => {
      const { dvr, feed } = await opened();
      expect(await code(dvr.startRecording('..', '', BRIEF))).toBe('STREAM_CODE_INVALID');
      const invalid = await failure(dvr.startRecording('x', '', { ...BRIEF, segmentDuration: 0 }));
      expect(invalid).toMatchObject({ code: 'CONFIG_INVALID', context: { field: 'segmentDuration' } });
      expect(await code(dvr.startRecording('x', '', { ...BRIEF, enabled: false }))).toBe('RECORDING_DISABLED');
      const missing = await failure(dvr.startRecording('x', 'no-such-buffer', BRIEF));
      expect(missing).toMatchObject({ code: 'BUFFER_NOT_FOUND', context: { buffer: 'no-such-buffer' } });
      expect(missing?.message).toContain('no-such-buffer');
      expect(await code(dvr.stopRecording('x'))).toBe('NOT_RECORDING');
      expect(await code(dvr.live('x', new Viewer()))).toBe('NOT_RECORDING');
      expect(await code(dvr.setRetention('x', { retentionSec: 0, maxSizeGb: 0 }))).toBe('STREAM_NOT_FOUND');
      expect(await code(dvr.setRetention('x', { retentionSec: -1, maxSizeGb: 0 }))).toBe('CONFIG_INVALID');
      expect([dvr.isRecording('x'), dvr.status('x'), dvr.metrics('x'), dvr.recordings()]).toEqual([false, undefined, undefined, []]);
      await feed('camera');
      await dvr.startRecording('x', 'camera', BRIEF);
      expect(await code(dvr.startRecording('x', 'camera', BRIEF))).toBe('ALREADY_RECORDING');
      expect(await code(dvr.startRecording('x/y', '', BRIEF))).toBe('STREAM_CODE_TAKEN');
      expect(await code(dvr.startRecording('X', '', BRIEF))).toBe('STREAM_CODE_TAKEN');
      await dvr.close();
      expect(await code(dvr.startRecording('z', '', BRIEF))).toBe('CLOSED');
      expect(dvr.isRecording('x')).toBe(false);
    });

    it('refuses a root that cannot be written to, and says what the system said', async () => {
      const { dvr, root } = await opened();
      await writeFile(join(root, 'file'), 'no folder');
      const error = await failure(dvr.startRecording('x', '', { ...BRIEF, storagePath: join(root, 'file') }));
      expect(error).toMatchObject({ code: 'STORAGE_UNWRITABLE', context: { errno: 'ENOTDIR' } });
      expect(dvr.isRecording('x')).toBe(false);
      expect((await dvr.startRecording('x', '', BRIEF)).status).toBe('recording');
    });

    it('of two starts at once one wins, and both of two stops', async () => {
      const { dvr, feed } = await opened();
      const events = heard(dvr);
      const codes = await Promise.all([code(dvr.startRecording('x', '', BRIEF)), code(dvr.startRecording('x', '', BRIEF))]);
      expect(codes.sort()).toEqual(['ALREADY_RECORDING', undefined]);
      await (await feed('x')).write(piece(0, 3));
      await until('a segment', () => events.includes('segment x 0'));
      const stopped = await Promise.all([dvr.stopRecording('x'), dvr.stopRecording('x')]);
      expect(stopped.map(({ status }) => status)).toEqual(['stopped', 'stopped']);
      expect(events.filter((event) => event.startsWith('stopped'))).toEqual(['stopped x']);
    });

    it('a stop waits for a start that is under way', async () => {
      const { dvr } = await opened();
      const started = dvr.startRecording('x', '', BRIEF);
      const stopped = dvr.stopRecording('x');
      expect((await started).status).toBe('recording');
      expect((await stopped).status).toBe('stopped');
      expect(dvr.isRecording('x')).toBe(false);
    });

    it('records: what is asked at once is known, what happens is told in order, the archive is a VOD', async () => {
      const { dvr, feed, root } = await opened();
      const events = heard(dvr);
      const recording = await dvr.startRecording('tv/news', '', BRIEF);
      expect(dvr.isRecording('tv/news')).toBe(true);
      expect(recording).toMatchObject({ id: 'tv/news', streamCode: 'tv/news', status: 'recording', segmentDir: join(root, 'tv/news') });
      expect(recording.startedAt).toBeInstanceOf(Date);
      expect(recording.stoppedAt).toBeUndefined();
      expect(dvr.recordings()).toEqual([recording]);
      await (await feed('tv/news')).write(piece(0, 6));
      await until('four segments', () => events.includes('segment tv/news 3'));
      await until('a status that counts them', () => (dvr.status('tv/news')?.segmentCount ?? 0) >= 4);
      expect(dvr.status('tv/news')).toMatchObject({
        restarts: 0,
        session: { signal: 'present', program: { number: 1 } },
      });
      expect(dvr.status('tv/news')?.error).toBeUndefined();
      await until('counters', () => (dvr.metrics('tv/news')?.writtenSegments ?? 0) >= 4);
      const metrics = dvr.metrics('tv/news');
      expect(metrics?.receivedBytes).toBeGreaterThan(piece(0, 5).length);
      expect(metrics?.commitSeconds.counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(4);
      const stopped = await dvr.stopRecording('tv/news');
      expect(stopped).toMatchObject({ id: 'tv/news', status: 'stopped', startedAt: recording.startedAt });
      expect(stopped.stoppedAt?.getTime()).toBeGreaterThanOrEqual(recording.startedAt.getTime());
      expect(dvr.isRecording('tv/news')).toBe(false);
      expect(events).toEqual(['started tv/news', ...[0, 1, 2, 3, 4, 5].map((index) => `segment tv/news ${index}`), 'stopped tv/news']);
      expect(await playlist(root, 'tv/news')).toMatch(/#EXT-X-PLAYLIST-TYPE:VOD[^]*#EXT-X-ENDLIST\n$/);
      const index = await dvr.loadIndex(recording.segmentDir);
      expect(index).toMatchObject({ streamCode: 'tv/news', segmentCount: 6 });
      expect(await dvr.parsePlaylist(recording.segmentDir)).toHaveLength(6);
      expect(await dvr.loadIndex(join(root, 'none'))).toBeUndefined();
      expect(await code(dvr.parsePlaylist(join(root, 'none')))).toBe('STREAM_NOT_FOUND');
    });

    it('what is closed is resumed by the next service; what was stopped begins a new life', async () => {
      const first = await opened();
      const events = heard(first.dvr);
      await first.dvr.startRecording('x', '', BRIEF);
      await (await first.feed('x')).write(piece(0, 3));
      await until('a segment', () => events.includes('segment x 1'));
      await first.dvr.close();
      expect(await playlist(first.root, 'x')).not.toContain('ENDLIST');
      const second = await opened(first.root);
      const more = heard(second.dvr);
      await second.dvr.startRecording('x', '', BRIEF);
      const feed = await second.feed('x');
      await feed.write(piece(20, 23));
      await until('a segment after the first', () => more.includes('segment x 4'));
      await second.dvr.stopRecording('x');
      expect(await playlist(first.root, 'x')).toMatch(/life=1[^]*#EXT-X-ENDLIST\n$/);
      await second.dvr.startRecording('x', '', BRIEF);
      await feed.write(piece(40, 43));
      await until('a segment after the second', () => more.includes('segment x 7'));
      await second.dvr.stopRecording('x');
      expect(await playlist(first.root, 'x')).toMatch(/life=2[^]*#EXT-X-ENDLIST\n$/);
      expect((await playlist(first.root, 'x')).match(/^#EXT-X-DISCONTINUITY$/gm)).toHaveLength(2);
    });

    it('a listener that throws disturbs neither the recording nor other listeners, and one that was taken away hears nothing', async () => {
      const { dvr, feed } = await opened();
      const away: string[] = [];
      const listener = (): void => void away.push('heard');
      dvr.on('segment.written', () => {
        throw new Error('mine');
      });
      dvr.on('segment.written', listener).off('segment.written', listener);
      const events = heard(dvr);
      await dvr.startRecording('x', '', BRIEF);
      await (await feed('x')).write(piece(0, 4));
      await until('segments', () => events.includes('segment x 2'));
      expect(away).toEqual([]);
    });

    it('silence opens a gap, and what comes after it closes it', async () => {
      const { dvr, feed, root } = await opened();
      const events = heard(dvr);
      await dvr.startRecording('x', '', { ...BRIEF, segmentDuration: 2 });
      const source = await feed('x');
      // what is sent at once lies ahead of the clock: so little of it that the silence is a loss
      await source.write(piece(0, 0.5));
      await until('silence', () => events.includes('gap opened x signal'));
      await until('a status of it', () => dvr.status('x')?.session?.signal === 'lost');
      const open = dvr.status('x')?.openGap;
      expect(open).toMatchObject({ reason: 'signal' });
      await source.write(piece(40, 46));
      await until('media again', () => events.includes('gap closed x signal'));
      await until('a status of the gap', () => dvr.status('x')?.lastGap?.reason === 'signal');
      expect(dvr.status('x')?.openGap).toBeUndefined();
      expect(Math.abs((dvr.status('x')?.lastGap?.fromMs ?? 0) - (open?.fromMs ?? 0))).toBeLessThan(2);
      expect(await playlist(root, 'x')).toContain('why=signal');
    });

    it('keeps no more than it is told to, from the moment it is told, also of what is stopped', async () => {
      const { dvr, feed } = await opened();
      const events = heard(dvr);
      await dvr.startRecording('x', '', { ...BRIEF, maxSizeGb: 1 });
      await (await feed('x')).write(piece(0, 9));
      await until('segments', () => events.includes('segment x 7'));
      expect(events).not.toContain('pruned x');
      await dvr.setRetention('x', { retentionSec: 0, maxSizeGb: piece(0, 4).length / 1e9 });
      await until('a prune', () => events.includes('pruned x'));
      expect(dvr.isRecording('x')).toBe(true);
      await until('a count of it', () => (dvr.status('x')?.retention.prunedSegments ?? 0) > 0);
      await dvr.stopRecording('x');
      const count = events.filter((event) => event === 'pruned x').length;
      await dvr.setRetention('x', { retentionSec: 0, maxSizeGb: piece(0, 1.5).length / 1e9 });
      await until('a prune after the stop', () => events.filter((event) => event === 'pruned x').length > count);
    });

    it('keeps windows for good', async () => {
      const { dvr, feed } = await opened();
      const events = heard(dvr);
      const { segmentDir } = await dvr.startRecording('x', '', BRIEF);
      await (await feed('x')).write(piece(0, 6));
      await until('segments', () => events.includes('segment x 4'));
      await dvr.stopRecording('x');
      const metas = await dvr.parsePlaylist(segmentDir);
      const [from, to] = [metas[1]?.wallTime, metas[3]?.wallTime];
      if (from === undefined || to === undefined) throw new Error('no segments');
      const keep = await dvr.keep('x', { name: 'goal', from, to });
      expect(keep).toMatchObject({ streamCode: 'x', name: 'goal', segmentCount: 2 });
      expect(await code(dvr.keep('x', { name: 'goal', from, to }))).toBe('KEEP_EXISTS');
      expect((await dvr.keeps()).map(({ name: kept }) => kept)).toEqual(['goal']);
      expect(await dvr.keeps('y')).toEqual([]);
      await dvr.removeKeep('x', 'goal');
      expect(await code(dvr.removeKeep('x', 'goal'))).toBe('KEEP_NOT_FOUND');
      expect(await dvr.keeps('x')).toEqual([]);
    });

    it('gives those who watch what is stored, byte for byte, from the beginning of the segment that comes', async () => {
      const { dvr, feed, root } = await opened();
      const events = heard(dvr);
      await dvr.startRecording('x', '', BRIEF);
      dvr.served('x', 60_000);
      const source = await feed('x');
      await source.write(piece(0, 3.5));
      await until('a segment', () => events.includes('segment x 1'));
      const [first, second, third] = [new Viewer(), new Viewer(), new Viewer()];
      await dvr.live('x', first);
      await until('the current segment', () => first.segments.length > 0);
      const leaving = await dvr.live('x', second);
      await until('the current segment, for another', () => second.segments.length > 0);
      await leaving.close();
      const left = second.segments.length;
      await dvr.live('x', third);
      await source.write(piece(3.5, 7));
      await until('more', () => first.segments.length >= 5 && third.segments.length >= 5);
      await dvr.stopRecording('x');
      await until('the end', () => first.end !== undefined && third.end !== undefined);
      expect([second.segments.length, second.end]).toEqual([left, undefined]);
      const names = [...(await playlist(root, 'x')).matchAll(/^\d+\.ts$/gm)].map(([uri]) => uri);
      const stored = await Promise.all(names.map((uri) => readFile(join(root, 'x', uri))));
      for (const { segments, keyframes } of [first, third]) {
        expect(keyframes.every(Boolean)).toBe(true);
        const places = segments.map((bytes) => stored.findIndex((file) => file.equals(bytes)));
        expect(places).toEqual(places.map((_, i) => stored.length - segments.length + i));
      }
      expect(await code(dvr.live('x', new Viewer()))).toBe('NOT_RECORDING');
    });
  });
}
