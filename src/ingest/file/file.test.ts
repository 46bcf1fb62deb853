/** `file:`: played by its own clock, looped without a seam, and what is no stream. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock, systemClock, type Clock } from '../../base/index.js';
import { PTS_MODULUS, ptsDelta } from '../../model/index.js';
import { TsReader, hasPayload, readCounter, readPcr, readPesTimes, readPid, type Unit } from '../../mpegts/index.js';
import { makeStream } from '../../../test/tsBuilder.js';
import { openSource } from '../registry.js';
import type { Source } from '../source.js';
import { CountingClock, ProbeLog, ProbeSink } from '../testing/probes.js';
import { Pacer } from './pacer.js';
import { LoopRestamper } from './restamp.js';

let folder = '';
let sample: Uint8Array = new Uint8Array(0);
const SAMPLE_SECONDS = 4;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'livetape-file-'));
  const path = join(folder, 'sample.ts');
  const inputs = [
    '-f',
    'lavfi',
    '-i',
    `testsrc=size=320x180:rate=25:duration=${SAMPLE_SECONDS}`,
    '-f',
    'lavfi',
    '-i',
    `sine=duration=${SAMPLE_SECONDS}`,
  ];
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '2', '-c:a', 'aac'];
  execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', ...inputs, ...codecs, '-f', 'mpegts', path]);
  sample = new Uint8Array(await readFile(path));
});
afterAll(() => rm(folder, { recursive: true }));

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function write(name: string, bytes: Uint8Array | string): Promise<string> {
  await writeFile(join(folder, name), bytes);
  return `file:${join(folder, name)}`;
}

function start(url: string, clock: Clock = systemClock): { source: Source; sink: ProbeSink; log: ProbeLog } {
  const log = new ProbeLog();
  const source = openSource(url, { clock, log });
  const sink = new ProbeSink();
  cleanups.push(() => source.close());
  source.start(sink);
  return { source, sink, log };
}

/** A clock moved by hand, which says whether anybody waits for it. */
class SteppedClock extends CountingClock {
  readonly #clock: ManualClock;
  constructor() {
    const clock = new ManualClock();
    super(clock);
    this.#clock = clock;
  }
  /** Moves on in steps while somebody waits, until `done`; how far in all, milliseconds. */
  async play(done: () => boolean, stepMs = 5): Promise<number> {
    const fromMs = this.monotonicMs();
    for (let turns = 0; !done(); turns++) {
      if (turns > 1_000_000) throw new Error(`not done after ${this.monotonicMs() - fromMs} ms`);
      if (this.timers > 0) this.#clock.advance(stepMs);
      await setImmediate();
    }
    return this.monotonicMs() - fromMs;
  }
}

describe('file', () => {
  it('ends at the end, with every byte as it is: 188, 192, 204, junk at both ends and in the middle', async () => {
    const stretched = (stride: number, at: number): Uint8Array => {
      const out = new Uint8Array((sample.length / 188) * stride).fill(0x11);
      for (let i = 0; i < sample.length / 188; i++) out.set(sample.subarray(i * 188, (i + 1) * 188), i * stride + at);
      return out;
    };
    const middle = 188 * 300;
    const junked = Buffer.concat([
      Buffer.alloc(77, 1),
      sample.subarray(0, middle),
      Buffer.alloc(1000, 2),
      sample.subarray(middle),
      Buffer.alloc(50, 0x47),
    ]);
    for (const bytes of [sample, stretched(192, 4), stretched(204, 0), junked]) {
      for (const pace of [0, 1]) {
        const clock = new SteppedClock();
        const { sink } = start(`${await write('bytes.ts', bytes)}?pace=${pace}`, clock);
        await clock.play(() => sink.kinds.includes('ended'));
        expect(sink.events.at(-1)).toEqual({ kind: 'ended', text: 'end of file', error: undefined });
        expect(sink.bytes.equals(bytes)).toBe(true);
      }
    }
  });

  it('finds a file by a relative path and an encoded one', async () => {
    await write('a b%?#.ts', sample);
    for (const url of [`file:${relative(process.cwd(), folder)}/a b%25%3F#.ts?pace=0`, `file://${folder}/a%20b%25%3f%23.ts?pace=0`]) {
      const { sink } = start(url);
      await sink.heard('ended');
      expect(sink.byteCount).toBe(sample.length);
    }
  });

  it('says what is wrong with what cannot be played', async () => {
    const cases: [string, string, RegExp][] = [
      [`file:${folder}/nothing.ts`, 'SOURCE_NOT_FOUND', /ENOENT/],
      [`file:${folder}/sample.ts/nothing.ts`, 'SOURCE_NOT_FOUND', /ENOTDIR/],
      [`file:${folder}`, 'SOURCE_FAILED', /not a file/],
      ['file:/dev/null', 'SOURCE_FAILED', /not a file/],
      [await write('empty.ts', ''), 'SOURCE_NOT_TS', /empty/],
      [await write('page.ts', '<html>'.repeat(100_000)), 'SOURCE_NOT_TS', /not a transport stream/],
      [
        `${await write(
          'untimed.ts',
          new Uint8Array(188 * 50).map((_, at) => [0x47, 0x1f, 0xff, 0x10][at % 188] ?? 0),
        )}?loop=1`,
        'SOURCE_FAILED',
        /cannot be looped/,
      ],
    ];
    for (const [url, code, words] of cases) {
      const { sink } = start(url);
      const { text, error } = await sink.heard('ended');
      expect(error, url).toMatchObject({ code });
      expect(text).toMatch(words);
    }
  });

  it('does not wait for ever for a pipe', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect((await start(`file:${folder}/pipe`).sink.heard('ended')).error).toMatchObject({ code: 'SOURCE_FAILED' });
  });

  it('plays in real time, a few tens of milliseconds at once, and does not drift when timers are late', async () => {
    const path = await write('paced.ts', sample);
    const steady = new SteppedClock();
    const one = start(path, steady);
    let [last, largest] = [0, 0];
    const arrivals: number[] = [];
    one.sink.onData = () => {
      arrivals.push(steady.monotonicMs());
      largest = Math.max(largest, steady.monotonicMs() - last);
      last = steady.monotonicMs();
    };
    const tookMs = await steady.play(() => one.sink.kinds.includes('ended'));
    // PCR spans the media less one frame; the rest is steps of the clock while the file is read
    expect(last).toBeGreaterThan(SAMPLE_SECONDS * 1000 - 200);
    expect(last).toBeLessThan(SAMPLE_SECONDS * 1000 + 200);
    expect(tookMs).toBeGreaterThanOrEqual(last);
    expect(largest).toBeLessThan(150);
    expect(new Set(arrivals).size).toBeGreaterThan(40);
    const late = new SteppedClock();
    const other = start(path, late);
    expect(await late.play(() => other.sink.kinds.includes('ended'), 70)).toBeLessThan(tookMs + 140);
  });

  it('plays at the true rate on the machine’s clock', async () => {
    const startedMs = systemClock.monotonicMs();
    const { sink } = start(await write('real.ts', sample));
    await sink.heard('ended');
    expect(systemClock.monotonicMs() - startedMs).toBeGreaterThan(SAMPLE_SECONDS * 1000 - 200);
    expect(systemClock.monotonicMs() - startedMs).toBeLessThan(SAMPLE_SECONDS * 1000 + 1500);
    expect(sink.bytes.equals(sample)).toBe(true);
  });

  it('loops without a seam: counters, PCR, and every frame of the video at its distance', async () => {
    const clock = new SteppedClock();
    const { sink } = start(`${await write('loop.ts', sample)}?loop=1`, clock);
    await clock.play(() => sink.byteCount > 3.5 * sample.length);
    const bytes = sink.bytes;
    const counters = new Map<number, number>();
    const units: Unit[] = [];
    let lastPcr = Number.NaN;
    for (let at = 0; at + 188 <= bytes.length; at += 188) {
      const pid = readPid(bytes, at);
      const before = counters.get(pid);
      if (before !== undefined) expect(readCounter(bytes, at), `PID ${pid} at ${at}`).toBe((before + (hasPayload(bytes, at) ? 1 : 0)) & 15);
      counters.set(pid, readCounter(bytes, at));
      const pcr = readPcr(bytes, at);
      if (Number.isNaN(pcr)) continue;
      if (!Number.isNaN(lastPcr)) {
        expect(pcr - lastPcr).toBeGreaterThan(0);
        expect(pcr - lastPcr).toBeLessThan(27_000 * 100);
      }
      lastPcr = pcr;
    }
    const reader = new TsReader({ sink: { program: () => undefined, unit: (unit) => void units.push({ ...unit }) } });
    reader.push(bytes, 0);
    expect(reader.errors).toMatchObject({ continuity: 0, syncSkippedBytes: 0 });
    const video = units.filter((unit) => unit.reference).map((unit) => unit.dts90k);
    expect(video.length).toBeGreaterThan(3 * 25 * SAMPLE_SECONDS);
    for (let i = 1; i < video.length; i++) expect(video[i]! - video[i - 1]!, `frame ${i}`).toBe(3600);
    const audio = units.filter((unit) => unit.role === 'audio').map((unit) => unit.pts90k);
    for (let i = 1; i < audio.length; i++) expect(Math.abs(audio[i]! - audio[i - 1]!), `audio unit ${i}`).toBeLessThan(90_000 / 2);
    expect(sink.kinds).toEqual(['connected']);
  });

  it('keeps its pace from round to round', async () => {
    const clock = new SteppedClock();
    const { sink } = start(`${await write('pace.ts', sample)}?loop=1`, clock);
    const tookMs = await clock.play(() => sink.byteCount > 2.99 * sample.length);
    expect(tookMs).toBeGreaterThan(3 * SAMPLE_SECONDS * 1000 - 400);
    expect(tookMs).toBeLessThan(3 * SAMPLE_SECONDS * 1000 + 400);
  });
});

describe('LoopRestamper', () => {
  it('goes on across the wrap of the time stamps, in the middle of a round and at its end', () => {
    for (const startDts90k of [PTS_MODULUS - 90_000, PTS_MODULUS - 5 * 90_000, 0]) {
      const { bytes } = makeStream({ seconds: 2, startDts90k });
      const restamper = new LoopRestamper();
      const stamps: number[] = [];
      let pid = -1;
      for (let round = 0; round < 4; round++) {
        const copy = new Uint8Array(bytes);
        for (let at = 0; at < copy.length; at += 188) {
          restamper.packet(copy, at);
          const times = readPesTimes(copy, at);
          if (times === undefined || Number.isNaN(times.dts90k)) continue;
          if (pid < 0) pid = readPid(copy, at);
          if (readPid(copy, at) === pid) stamps.push(times.dts90k);
        }
        expect(restamper.nextRound()).toBe(true);
      }
      const distances = new Set(stamps.slice(1).map((stamp, at) => ptsDelta(stamps[at]!, stamp)));
      expect([...distances]).toEqual([3600]);
      for (const stamp of stamps) expect(stamp).toBeLessThan(PTS_MODULUS);
    }
  });
});

describe('Pacer', () => {
  it('takes a jump in the file for no time, and a small step back for what it is', () => {
    const pacer = new Pacer();
    const packet = (pcr90k: number): Uint8Array => {
      const bytes = new Uint8Array(188);
      bytes.set([0x47, 0x01, 0x00, 0x20, 183, 0x10]);
      const top = Math.floor(pcr90k / 2);
      bytes.set([top >>> 24, top >>> 16, top >>> 8, top, (pcr90k % 2) << 7, 0], 6);
      return bytes;
    };
    const seconds = [100, 101, 50, 51, 50.5, 90_000, 90_001].map((at) => (pacer.dueMs(packet(at * 90_000), 0) ?? Number.NaN) / 1000);
    expect(seconds).toEqual([0, 1, 1, 2, 1.5, 1.5, 2.5]);
    const wrapping = new Pacer();
    wrapping.dueMs(packet(PTS_MODULUS - 45_000), 0);
    expect(wrapping.dueMs(packet(45_000), 0)).toBe(1000);
  });

  it('goes by DTS where there is no PCR', () => {
    const { bytes } = makeStream({ seconds: 2 });
    const pacer = new Pacer();
    let lastMs = 0;
    for (let at = 0; at < bytes.length; at += 188) {
      if ((bytes[at + 3]! & 0x20) !== 0 && bytes[at + 4]! > 0) bytes[at + 5]! &= ~0x10;
      lastMs = pacer.dueMs(bytes, at) ?? lastMs;
    }
    expect(pacer.hasClock).toBe(true);
    expect(lastMs).toBeGreaterThan(1800);
    expect(lastMs).toBeLessThan(2100);
  });
});
