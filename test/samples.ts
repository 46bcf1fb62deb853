/**
 * Real transport streams for tests, made by ffmpeg when a test first asks for one and kept in node_modules/.cache. Two seconds take well under a
 * second to make.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FOLDER = fileURLToPath(new URL('../node_modules/.cache/livetape-samples/', import.meta.url));

const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];
const H264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '25', '-bf', '2', '-b:v', '400k', '-x264-params', 'scenecut=0'];
const AAC = ['-c:a', 'aac', '-b:a', '64k'];

/** Arguments of ffmpeg, the output's name aside. Change a name with its arguments: samples are cached by name. */
const RECIPES = {
  'h264-aac': [...PICTURE, ...SOUND, '-t', '6', ...H264, ...AAC],
  'h264-b0': [...PICTURE, '-t', '4', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25'],
  'h264-open-gop': [
    ...PICTURE,
    ...SOUND,
    '-t',
    '6',
    ...H264,
    '-x264-params',
    'open-gop=1:scenecut=0:bframes=3:keyint=25:min-keyint=25',
    ...AAC,
  ],
  'h264-intra-refresh': [...PICTURE, '-t', '4', ...H264, '-x264-params', 'intra-refresh=1:keyint=25'],
  'h264-interlaced': [...PICTURE, '-t', '4', ...H264, '-flags', '+ildct+ilme', '-x264-params', 'interlaced=1:tff=1:keyint=25:scenecut=0'],
  'h264-anamorphic': [
    ...['-f', 'lavfi', '-i', 'testsrc2=size=352x288:rate=25', '-t', '2', '-vf', 'crop=346:282:0:0,setsar=16/11', ...H264],
    ...['-profile:v', 'high422', '-pix_fmt', 'yuv422p10le'],
  ],
  'h265-aac': [
    ...PICTURE,
    ...SOUND,
    '-t',
    '4',
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'log-level=error:keyint=25:min-keyint=25:open-gop=0',
    ...AAC,
  ],
  'h265-open-gop': [
    ...PICTURE,
    '-t',
    '4',
    '-c:v',
    'libx265',
    '-preset',
    'fast',
    '-x265-params',
    'log-level=error:keyint=25:min-keyint=25:open-gop=1:bframes=3:scenecut=0',
  ],
  'mpeg2-mp2': [...PICTURE, ...SOUND, '-t', '4', '-c:v', 'mpeg2video', '-g', '12', '-bf', '2', '-b:v', '1M', '-c:a', 'mp2'],
  'mpeg2-closed-gop': [
    ...PICTURE,
    '-t',
    '4',
    '-c:v',
    'mpeg2video',
    '-g',
    '12',
    '-bf',
    '2',
    '-flags',
    '+cgop',
    '-sc_threshold',
    '1000000000',
    '-b:v',
    '1M',
  ],
  'mp2-only': [...SOUND, '-t', '4', '-c:a', 'mp2'],
  'ac3-only': [...SOUND, '-t', '4', '-c:a', 'ac3'],
  m2ts: [...PICTURE, ...SOUND, '-t', '4', ...H264, '-c:a', 'ac3', '-mpegts_m2ts_mode', '1'],
  'h264-cbr-nulls': [...PICTURE, ...SOUND, '-t', '4', ...H264, ...AAC, '-muxrate', '1500k', '-pat_period', '0.1'],
  'two-programs': [
    ...[...PICTURE, ...SOUND, '-t', '4', '-map', '0:v', '-map', '1:a', '-map', '0:v', '-map', '1:a', ...H264, ...AAC],
    ...['-program', 'program_num=7:st=0:st=1', '-program', 'program_num=9:st=2:st=3'],
  ],
} satisfies Record<string, readonly string[]>;

/** A sample's name. */
export type SampleName = keyof typeof RECIPES;
/** All of them. */
export const SAMPLE_NAMES = Object.keys(RECIPES) as SampleName[];

/** Path of the sample; makes it when it is not there. */
export async function samplePath(name: SampleName): Promise<string> {
  const path = join(FOLDER, `${name}.ts`);
  const there = await readFile(path).then(
    () => true,
    () => false,
  );
  if (there) return path;
  await mkdir(FOLDER, { recursive: true });
  const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...RECIPES[name], '-f', 'mpegts', draft]);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  return path;
}

/** The sample's bytes. */
export async function makeSample(name: SampleName): Promise<Uint8Array> {
  return new Uint8Array(await readFile(await samplePath(name)));
}

/** A packet as ffprobe tells it. */
export interface ProbedPacket {
  readonly pts90k: number;
  readonly dts90k: number;
  readonly key: boolean;
}

/** What ffprobe finds in a file's stream, such as `v:0`, in the order of the file. */
export async function probePackets(path: string, stream: string): Promise<ProbedPacket[]> {
  const args = ['-v', 'error', '-select_streams', stream, '-show_entries', 'packet=pts,dts,flags', '-of', 'json', path];
  const { stdout } = await run('ffprobe', args, { maxBuffer: 1 << 26 });
  const { packets } = JSON.parse(stdout) as { packets: { pts: number; dts: number; flags: string }[] };
  return packets.map(({ pts, dts, flags }) => ({ pts90k: pts, dts90k: dts, key: flags.startsWith('K') }));
}
