/** The command line in process: what it prints, what it answers with, and that what it recorded is right. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkArchive } from '../../test/archiveChecker.js';
import { ManualClock, systemClock } from '../base/index.js';
import type { CliIo } from './io.js';
import { main } from './main.js';
import { showBitrate, showDuration, showSize, table } from './output.js';
import { endOnSignals } from './signals.js';

const DEMO = `file:${join(import.meta.dirname, '../../assets/demo.ts')}`;

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'livetape-cli-'));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

/** A world whose output is kept and whose signals are sent by hand. */
class FakeIo implements CliIo {
  clock: CliIo['clock'] = systemClock;
  stdout = '';
  stderr = '';
  exited: number | undefined;
  readonly #listeners = new Set<(signal: NodeJS.Signals) => void>();

  constructor(private readonly width?: number) {}

  out(text: string): void {
    this.stdout += text;
  }
  err(text: string): void {
    this.stderr += text;
  }
  columns(): number | undefined {
    return this.width;
  }
  onSignal(listener: (signal: NodeJS.Signals) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  exit(status: number): void {
    this.exited = status;
  }
  signal(): void {
    for (const listener of this.#listeners) listener('SIGINT');
  }
}

async function run(...argv: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const io = new FakeIo();
  const status = await main(argv, io);
  return { status, stdout: io.stdout, stderr: io.stderr };
}
const parse = (stdout: string): unknown => JSON.parse(stdout);
const events = (io: FakeIo): { event: string }[] =>
  io.stdout.split('\n').flatMap((line) => (line === '' ? [] : [parse(line) as { event: string }]));

describe('a command line that is wrong', () => {
  it.each([
    [['frob'], 'ARGUMENT_INVALID'],
    [['record'], 'ARGUMENT_INVALID'],
    [['record', DEMO], 'ARGUMENT_INVALID'],
    [['record', DEMO, '--stream'], 'ARGUMENT_INVALID'],
    [['record', DEMO, '--stream', 'a', '--frob'], 'ARGUMENT_INVALID'],
    [['record', DEMO, '--stream', 'a', '--segment', '0'], 'ARGUMENT_INVALID'],
    [['record', DEMO, '--stream', 'a', '--segment', '4s'], 'ARGUMENT_INVALID'],
    [['record', DEMO, '--stream', 'a', '--duration', '-1'], 'ARGUMENT_INVALID'],
    [['record', DEMO, '--stream', 'a', '--data', ''], 'ARGUMENT_INVALID'],
    [['record', DEMO, '--stream', '../a'], 'STREAM_CODE_INVALID'],
    [['record', 'demo.ts', '--stream', 'a'], 'SOURCE_INVALID'],
    [['record', 'udp://127.0.0.1', '--stream', 'a'], 'SOURCE_INVALID'],
    [['record', 'udp://127.0.0.1:5000?program=x', '--stream', 'a'], 'SOURCE_INVALID'],
    [['record', 'srt://127.0.0.1:5000', '--stream', 'a'], 'SOURCE_UNSUPPORTED'],
    [['info'], 'ARGUMENT_INVALID'],
    [['info', 'a b'], 'STREAM_CODE_INVALID'],
  ])('%j is %s, one line, status 2', async (argv, code) => {
    const { status, stdout, stderr } = await run(...argv);
    expect(stderr).toMatch(new RegExp(`^livetape: ${code}: .+\n$`));
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  it('--help and --version are no faults; no command at all is', async () => {
    expect(await run('--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string });
    expect(await run('record', '--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--segment') as string, stderr: '' });
    expect(await run()).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('Usage') as string });
  });
});

describe('record, list and info', () => {
  it('records a file to its end as VOD, and lists and tells it', async () => {
    const recorded = await run('record', `${DEMO}?pace=0`, '--stream', 'news/one', '--data', data);
    expect(recorded.stderr).toContain('recorded 0:00:16 in 4 segments');
    expect(recorded).toMatchObject({ status: 0, stdout: '' });
    expect(await checkArchive(join(data, 'news/one'))).toEqual([]);
    expect(readFileSync(join(data, 'news/one/playlist.m3u8'), 'utf8')).toMatch(/TYPE:VOD[^]*#EXT-X-ENDLIST\n$/);

    const listed = await run('list', '--data', data);
    expect(listed.status).toBe(0);
    expect(listed.stdout).toMatch(/^STREAM +STATUS .*\nnews\/one +stopped .* 0:00:16 +4 +732\.1 kB +0\n$/);
    expect(parse((await run('list', '--data', data, '--json')).stdout)).toMatchObject({
      streams: [{ stream_code: 'news/one', status: 'stopped', segment_count: 4, gap_count: 0 }],
    });

    const told = await run('info', 'news/one', '--data', data);
    expect(told.stdout).toMatch(
      /^stream +news\/one\nfolder .*\nstatus +stopped \(life 1\)\nfrom .*Z\nto .*Z\nmedia +0:00:16 in 4 segments/,
    );
    const json = parse((await run('info', 'news/one', '--data', data, '--json')).stdout);
    expect(json).toMatchObject({
      stream_code: 'news/one',
      status: 'stopped',
      life: 1,
      segment_count: 4,
      total_size_bytes: 732072,
      gaps: [],
    });
  });

  it('lists what it can of a stream that is damaged', async () => {
    await run('record', `${DEMO}?pace=0`, '--stream', 'good', '--data', data);
    await run('record', `${DEMO}?pace=0`, '--stream', 'bad', '--data', data);
    writeFileSync(join(data, 'bad/index.json'), 'x');
    expect((await run('list', '--data', data)).stdout).toMatch(/bad +stopped[^]*good +stopped/);
    writeFileSync(join(data, 'bad/playlist.m3u8'), 'x');
    const listed = await run('list', '--data', data);
    expect(listed.stdout).toMatch(/bad +damaged[^]*good +stopped/);
    expect(listed.status).toBe(0);
    const told = await run('info', 'bad', '--data', data);
    expect(told).toMatchObject({ status: 1, stderr: expect.stringMatching(/^livetape: ARCHIVE_CORRUPT: .+\n$/) as string });
  });

  it('an empty folder has no streams, and none is none', async () => {
    expect(await run('list', '--data', data)).toEqual({ status: 0, stdout: `no streams in ${data}\n`, stderr: '' });
    expect((await run('list', '--data', data, '--json')).stdout).toBe('{"streams":[],"keeps":[]}\n');
    expect(await run('info', 'news', '--data', data)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('livetape: STREAM_NOT_FOUND: ') as string,
    });
  });

  it.each([
    ['a file that is not there', 'file:/nowhere/at-all.ts', 'SOURCE_NOT_FOUND'],
    ['a file that is no transport stream', `file:${import.meta.filename}?pace=0`, 'SOURCE_NOT_TS'],
    ['a port on which nothing comes', 'udp://127.0.0.1:1', 'SOURCE_FAILED'],
  ])('%s: nothing recorded, status 1 and why', async (_name, source, code) => {
    const { status, stderr } = await run('record', source, '--stream', 'a', '--data', data, '--duration', '0.3');
    expect(stderr).toMatch(new RegExp(`livetape: ${code}: .+\n$`));
    expect(status).toBe(1);
  });

  it('with --json prints events and nothing else', async () => {
    const io = new FakeIo();
    expect(await main(['record', `${DEMO}?pace=0`, '--stream', 'a', '--data', data, '--segment', '2', '--json'], io)).toBe(0);
    expect(io.stderr).toBe('');
    const names = events(io).map(({ event }) => event);
    expect(names[0]).toBe('recording.started');
    expect(names.at(-1)).toBe('recording.stopped');
    expect(names.filter((name) => name === 'segment.written')).toHaveLength(8);
    expect(names).toContain('source.ended');
    const segment = events(io).find(({ event }) => event === 'segment.written');
    expect(segment).toMatchObject({
      stream_code: 'a',
      segment: { index: 0, uri: '000000.ts', duration_sec: 2, discontinuity: false, keyframes: 1 },
    });
  });

  it('ends well at a signal, with all that came; on a terminal one line tells how it is doing', async () => {
    const io = new FakeIo(70);
    const recording = main(['record', `${DEMO}?loop=1`, '--stream', 'a', '--data', data, '--segment', '1'], io);
    await vi.waitFor(() => expect(io.stderr).toContain('| recording | 1 segments |'), { timeout: 10_000, interval: 50 });
    io.signal();
    io.signal(); // the same key, told twice
    expect(await recording).toBe(0);
    expect(io.exited).toBeUndefined();
    expect(readFileSync(join(data, 'a/playlist.m3u8'), 'utf8')).toMatch(/#EXT-X-ENDLIST\n$/);
    expect(await checkArchive(join(data, 'a'))).toEqual([]);
    const lines = io.stderr.split(/\r\u001b\[K|\n/);
    expect(Math.max(...lines.filter((line) => / \| /.test(line)).map((line) => line.length))).toBeLessThan(70);
    expect(io.stderr).toMatch(/\r\u001b\[Krecorded 0:00:0\d in \d segments, .*playlist\.m3u8\n$/);
  });

  it('goes on in the same folder: a new life after a gap', async () => {
    for (let life = 1; life <= 2; life++) await run('record', `${DEMO}?pace=0`, '--stream', 'a', '--data', data);
    expect(await checkArchive(join(data, 'a'))).toEqual([]);
    expect(parse((await run('info', 'a', '--data', data, '--json')).stdout)).toMatchObject({
      life: 2,
      segment_count: 8,
      discontinuity_count: 1,
    });
  });
});

describe('probe', () => {
  it('tells people and programs what is in a source', async () => {
    const told = await run('probe', `${DEMO}?pace=0`);
    expect(told).toMatchObject({ status: 0, stderr: '' });
    expect(told.stdout).toMatch(/program 1: PMT on PID 4096[^]*256 +video +h264 +- .* 640x360 25 fps +every 2\.00 s[^]*257 +audio +aac/);
    expect(parse((await run('probe', `${DEMO}?pace=0`, '--json')).stdout)).toMatchObject({
      programs: [
        {
          number: 1,
          tracks: [
            { codec: 'h264', width: 640, height: 360 },
            { codec: 'aac', language: null },
          ],
        },
      ],
      errors: { continuity: 0 },
    });
  });

  it('says what is wrong with one, with a code', async () => {
    expect(await run('probe', 'file:/nowhere.ts')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('SOURCE_NOT_FOUND') as string,
    });
    expect(await run('probe', 'xyz://1')).toMatchObject({ status: 2, stderr: expect.stringContaining('SOURCE_UNSUPPORTED') as string });
  });
});

describe('signals', () => {
  it('a second one after half a second ends the process at once', () => {
    const io = new FakeIo();
    const clock = new ManualClock();
    io.clock = clock;
    const stopping = new AbortController();
    const stopListening = endOnSignals(io, stopping);
    io.signal();
    expect(stopping.signal.aborted).toBe(true);
    clock.advance(400);
    io.signal();
    expect(io.exited).toBeUndefined();
    clock.advance(200);
    io.signal();
    expect(io.exited).toBe(1);
    io.exited = undefined;
    stopListening();
    io.signal();
    expect(io.exited).toBeUndefined();
  });
});

describe('how things are shown', () => {
  it('lengths, sizes, bitrates', () => {
    expect([0, 59.6, 3600, 360_000].map(showDuration)).toEqual(['0:00:00', '0:01:00', '1:00:00', '100:00:00']);
    expect([0, 999, 1000, 999_949, 999_950, 12_345_678, 5e15].map(showSize)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '999.9 kB',
      '1.0 MB',
      '12.3 MB',
      '5.0 PB',
    ]);
    expect(showBitrate(2_500_000)).toBe('2.5 Mbit/s');
  });

  it('tables', () => {
    expect(
      table(
        ['A', 'LONG'],
        [
          ['wide', '1'],
          ['b', ''],
        ],
      ),
    ).toBe('A     LONG\nwide  1\nb\n');
  });
});
