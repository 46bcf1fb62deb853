/** P17 and P18 on real streams: what is exported decodes to the frames of the source, a preview to one of them, judged by ffmpeg, ffprobe and chromium. */
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLivetape } from '../src/index.js';
import type { StreamStorage } from '../src/storage/index.js';
import { exportTs } from '../src/playback/media/exportTs.js';
import { preview } from '../src/playback/media/preview.js';
import type { Timeline, TimelineEntry } from '../src/playback/index.js';
import { timelineOf } from '../src/playback/testTimeline.js';
import { entriesOf } from './archiveLab.js';
import { frameHashes, output, serveFolder, temporaryFolder, waitFor } from './lab.js';
import { samplePath, type SampleName } from './samples.js';

const FRAME_MS = 40;

interface Recorded {
  readonly root: string;
  readonly place: StreamStorage;
  readonly timeline: Timeline;
  /** The same as another system's journal would have it. */
  readonly bare: Timeline;
  readonly startMs: number;
  readonly nowMs: number;
}

/** A sample, recorded in segments of two seconds and stopped. */
async function recorded(name: SampleName): Promise<Recorded> {
  const root = await temporaryFolder();
  await using livetape = await createLivetape({ root });
  await livetape.dvr.startRecording('news', '', { enabled: true, segmentDuration: 2, retentionSec: 0, maxSizeGb: 0, storagePath: '' });
  await livetape.connect(`file:${await samplePath(name)}?pace=0`, 'news').ended;
  await livetape.dvr.stopRecording('news');
  const place = livetape.storage.stream('news');
  const entries = (await entriesOf(place)).map(({ facts, wallMs, uri, durationUs, discontinuity }): TimelineEntry => ({
    ...{ mediaSequence: facts!.mediaSequence, discontinuitySequence: facts!.discontinuitySequence, discontinuity, durationUs, uri },
    ...{
      wallMs: wallMs!,
      sizeBytes: facts!.sizeBytes,
      cumulativeBytes: facts!.cumulativeBytes,
      headBytes: facts!.headBytes,
      keyframes: facts!.keyframes,
      pts: facts!.pts,
    },
    gap: undefined,
  }));
  expect(entries.length).toBeGreaterThanOrEqual(1);
  const unsaid = { sizeBytes: undefined, cumulativeBytes: undefined, headBytes: undefined, keyframes: undefined, pts: undefined };
  const startMs = entries[0]!.wallMs;
  return {
    ...{ root, place, startMs, nowMs: startMs + 1e7 },
    timeline: timelineOf(entries, { ended: true }),
    bare: timelineOf(
      entries.map((entry) => ({ ...entry, ...unsaid })),
      { ended: true },
    ),
  };
}

async function write(root: string, name: string, chunks: AsyncIterable<Uint8Array> | readonly Uint8Array[]): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  await writeFile(join(root, name), Buffer.concat(parts));
  return join(root, name);
}

/** What ffprobe says of the only stream of a file. */
async function probed(path: string): Promise<unknown> {
  const show = ['-show_entries', 'stream=codec_name,codec_tag_string,width,height,pix_fmt,sample_aspect_ratio,nb_frames'];
  const { stdout, stderr } = await output('ffprobe', ['-v', 'warning', ...show, '-of', 'json', path]);
  expect(stderr).toBe('');
  return (JSON.parse(stdout) as { streams: unknown[] }).streams;
}

describe('P18: a preview', () => {
  it.each([
    ['h264-aac', 'h264', 'avc1'],
    ['h264-open-gop', 'h264', 'avc1'],
    ['h264-interlaced', 'h264', 'avc1'],
    ['h264-cbr-nulls', 'h264', 'avc1'],
    ['two-programs', 'h264', 'avc1'],
    ['m2ts', 'h264', 'avc1'],
    ['h265-aac', 'hevc', 'hvc1'],
    ['h265-open-gop', 'hevc', 'hvc1'],
  ] as const)('of %s is one frame of the source, to the bit', async (name, codec_name, codec_tag_string) => {
    const { root, place, timeline, bare, startMs, nowMs } = await recorded(name);
    const hashes = await frameHashes(await samplePath(name), true);
    for (const [afterMs, frame] of [
      [0, 0],
      [990, 0],
      [1010, 25],
      [2500, 50],
      [3990, 75],
    ] as const) {
      const facts = await preview(timeline, place, startMs + afterMs, nowMs);
      expect(facts.wallMs - startMs, `${afterMs} ms`).toBeCloseTo(frame * FRAME_MS, -1);
      const path = await write(root, 'preview.mp4', [facts.body]);
      expect(await frameHashes(path), `${afterMs} ms`).toEqual([hashes[frame]]);
      expect(await probed(path)).toEqual([
        expect.objectContaining({ codec_name, codec_tag_string, width: 320, height: 180, nb_frames: '1' }),
      ]);
      const scanned = await preview(bare, place, startMs + afterMs, nowMs);
      expect(Buffer.compare(scanned.body, facts.body), `${afterMs} ms, without facts`).toBe(0);
      expect(Math.abs(scanned.wallMs - facts.wallMs)).toBeLessThanOrEqual(1);
    }
  });

  it('keeps odd sizes, the shape of pixels, bit depth and chroma', async () => {
    const { root, place, timeline, startMs, nowMs } = await recorded('h264-anamorphic');
    const path = await write(root, 'preview.mp4', [(await preview(timeline, place, startMs, nowMs)).body]);
    expect(await probed(path)).toEqual([
      expect.objectContaining({ width: 346, height: 282, pix_fmt: 'yuv422p10le', sample_aspect_ratio: '16:11', nb_frames: '1' }),
    ]);
    expect(await frameHashes(path)).toEqual((await frameHashes(await samplePath('h264-anamorphic'))).slice(0, 1));
  });

  it.each(['mpeg2-mp2', 'mp2-only'] as const)('of %s is not to be had', async (name) => {
    const { place, timeline, bare, startMs, nowMs } = await recorded(name);
    await expect(preview(timeline, place, startMs + 1500, nowMs)).rejects.toMatchObject({ code: 'PREVIEW_UNSUPPORTED' });
    await expect(preview(bare, place, startMs + 1500, nowMs)).rejects.toMatchObject({ code: 'PREVIEW_UNSUPPORTED' });
  });

  it('is shown by chromium in a video element', async () => {
    const { root, place, timeline, startMs, nowMs } = await recorded('h264-aac');
    await write(root, 'preview.mp4', [(await preview(timeline, place, startMs + 2500, nowMs)).body]);
    await writeFile(join(root, 'page.html'), '<!doctype html><video id=v muted src=/preview.mp4></video>');
    const base = await serveFolder(root);
    const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'];
    const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args });
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`${base}/page.html`);
    await waitFor('the picture', async () => (await page.evaluate('v.readyState')) === 4);
    expect(await page.evaluate('[v.videoWidth, v.videoHeight, v.error && v.error.message]')).toEqual([320, 180, null]);
    // Colours there are: testsrc2's are, and a picture that was not decoded is black.
    const colours = await page.evaluate(`(() => {
      const canvas = document.createElement('canvas'); canvas.width = 320; canvas.height = 180;
      const context = canvas.getContext('2d'); context.drawImage(v, 0, 0);
      const { data } = context.getImageData(0, 0, 320, 180); const seen = new Set();
      for (let at = 0; at < data.length; at += 4) seen.add((data[at] >> 6) * 16 + (data[at + 1] >> 6) * 4 + (data[at + 2] >> 6));
      return seen.size; })()`);
    expect(colours).toBeGreaterThan(10);
  });
});

describe('P17: an export', () => {
  it.each([
    ['h264-aac', 1500, 4300, 25, 125],
    ['h264-aac', 0, 6000, 0, 150],
    ['h264-aac', 2010, 3990, 50, 100],
    ['h264-aac', 2100, 2200, 50, 75],
    ['h264-aac', 5500, 9000, 125, 150],
    ['h264-cbr-nulls', 1500, 2700, 25, 75],
    ['h265-aac', 1500, 2700, 25, 75],
    ['mpeg2-closed-gop', 500, 1500, 10, 40],
    ['two-programs', 1500, 2700, 25, 75],
  ] as const)('of %s from %i ms to %i ms has frames %i to %i', async (name, from, to, first, end) => {
    const { root, place, timeline, startMs, nowMs } = await recorded(name);
    const made = await exportTs(timeline, place, startMs + from, startMs + to, nowMs);
    const path = await write(root, 'export.ts', made.body());
    const { size } = await stat(path);
    expect(size).toBe(made.sizeBytes);
    // 25 frames a second
    expect(Math.abs(made.durationMs - (end - first) * 40)).toBeLessThan(50);
    const hashes = await frameHashes(await samplePath(name), true);
    expect(await frameHashes(path)).toEqual(hashes.slice(first, end));
  });

  it('of another system, whose entries do not name keyframes, is of whole segments', async () => {
    const { root, place, bare, startMs, nowMs } = await recorded('h264-aac');
    const made = await exportTs(bare, place, startMs + 1500, startMs + 3300, nowMs);
    const path = await write(root, 'export.ts', made.body());
    const hashes = await frameHashes(await samplePath('h264-aac'), true);
    expect(await frameHashes(path)).toEqual(hashes.slice(25, 125));
  });
});
