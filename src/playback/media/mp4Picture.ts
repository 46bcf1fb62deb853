/**
 * One coded picture as an MP4 file (P18; ISO/IEC 14496-12 and 14496-15): parameter sets in the sample entry, units with their lengths in front, one sample that lasts a
 * second, the headers before the media. Nothing is decoded. Pure.
 */
import type { CodedPicture } from '../../mpegts/index.js';
import { ascii, box, fullBox, u16, u32, zeros } from './mp4Boxes.js';

/** Units of time in a second, and how many the sample lasts. */
const TIMESCALE = 1000;
const DURATION = 1000;
/** 1 as a 16.16 number. */
const ONE = 0x10000;
/** A transformation that changes nothing (14496-12, 8.2.2). */
const UNITY_MATRIX = [ONE, 0, 0, 0, ONE, 0, 0, 0, 0x40000000].flatMap(u32);
/** No language. */
const UNDETERMINED = 0x55c4;
/** Profiles without chroma format and bit depths in their avcC (14496-15, 5.3.3.1.2). */
const PLAIN_PROFILES: ReadonlySet<number> = new Set([66, 77, 88]);

/** The picture as a file. */
export function mp4Of(picture: CodedPicture): Uint8Array {
  const sampleBytes = picture.units.reduce((sum, unit) => sum + 4 + unit.length, 0);
  const kind = picture.codec === 'h264' ? 'avc1' : 'hvc1';
  const ftyp = box('ftyp', ascii('isom'), u32(0x200), ascii(`isomiso2mp41${kind}`));
  // The offset of the media is a number of fixed size: where it lies is known once the headers were made with any.
  const headerBytes = ftyp.length + moov(picture, sampleBytes, 0).length;
  const moovBox = moov(picture, sampleBytes, headerBytes + 8);
  const media = picture.units.flatMap((unit) => [Uint8Array.from(u32(unit.length)), unit]);
  const mdat = box('mdat', ...media);
  const file = new Uint8Array(headerBytes + mdat.length);
  file.set(ftyp);
  file.set(moovBox, ftyp.length);
  file.set(mdat, headerBytes);
  return file;
}

function moov(picture: CodedPicture, sampleBytes: number, mediaOffset: number): Uint8Array {
  const { width, height } = picture.sps;
  const [aspectWidth, aspectHeight] = pixelAspect(picture) ?? [1, 1];
  const shownWidth = Math.max(1, Math.min(0xffff, Math.round((width * aspectWidth) / aspectHeight)));
  const times = [...u32(0), ...u32(0)];
  const mvhd = fullBox('mvhd', 0, times, u32(TIMESCALE), u32(DURATION), u32(ONE), u16(0x100), zeros(10), UNITY_MATRIX, zeros(24), u32(2));
  // enabled, in the movie, in the preview
  const tkhd = fullBox(
    'tkhd',
    7,
    ...[times, u32(1), zeros(4), u32(DURATION), zeros(16), UNITY_MATRIX],
    ...[u16(shownWidth), u16(0), u16(height), u16(0)],
  );
  const mdhd = fullBox('mdhd', 0, times, u32(TIMESCALE), u32(DURATION), u16(UNDETERMINED), u16(0));
  const hdlr = fullBox('hdlr', 0, zeros(4), ascii('vide'), zeros(12), ascii('VideoHandler\0'));
  const dinf = box('dinf', fullBox('dref', 0, u32(1), fullBox('url ', 1)));
  const stbl = box(
    'stbl',
    fullBox('stsd', 0, u32(1), sampleEntry(picture)),
    fullBox('stts', 0, u32(1), u32(1), u32(DURATION)),
    fullBox('stsc', 0, u32(1), u32(1), u32(1), u32(1)),
    fullBox('stsz', 0, u32(sampleBytes), u32(1)),
    fullBox('stco', 0, u32(1), u32(mediaOffset)),
  );
  const minf = box('minf', fullBox('vmhd', 1, zeros(8)), dinf, stbl);
  return box('moov', mvhd, box('trak', tkhd, box('mdia', mdhd, hdlr, minf)));
}

/** 14496-12, 12.1.3. */
function sampleEntry(picture: CodedPicture): Uint8Array {
  const { width, height } = picture.sps;
  const aspect = pixelAspect(picture);
  return box(
    picture.codec === 'h264' ? 'avc1' : 'hvc1',
    ...[zeros(6), u16(1), zeros(16), u16(width), u16(height), u32(0x480000), u32(0x480000), zeros(4), u16(1)],
    ...[zeros(32), u16(24), u16(0xffff)],
    picture.codec === 'h264' ? avcC(picture) : hvcC(picture),
    ...(aspect === undefined ? [] : [box('pasp', u32(aspect[0]), u32(aspect[1]))]),
  );
}

function pixelAspect(picture: CodedPicture): readonly [number, number] | undefined {
  return picture.codec === 'h264' ? picture.sps.pixelAspect : undefined;
}

/** 14496-15, 5.3.3.1.2. */
function avcC({ sps, spsUnits, ppsUnits }: Extract<CodedPicture, { codec: 'h264' }>): Uint8Array {
  const { profile, constraints, level, chroma, lumaDepth, chromaDepth } = sps;
  return box(
    'avcC',
    [1, profile, constraints, level, 0xff, 0xe0 | spsUnits.length],
    ...spsUnits.flatMap((unit) => [u16(unit.length), unit]),
    [ppsUnits.length],
    ...ppsUnits.flatMap((unit) => [u16(unit.length), unit]),
    PLAIN_PROFILES.has(profile) ? [] : [0xfc | chroma, 0xf8 | (lumaDepth - 8), 0xf8 | (chromaDepth - 8), 0],
  );
}

/** 14496-15, 8.3.3.1.2. What is not known (segmentation, parallelism, frame rate) is said to be unknown. */
function hvcC({ sps, vpsUnits, spsUnits, ppsUnits }: Extract<CodedPicture, { codec: 'h265' }>): Uint8Array {
  const arrays = (
    [
      [32, vpsUnits],
      [33, spsUnits],
      [34, ppsUnits],
    ] as const
  ).flatMap(([type, units]) => [[0x80 | type, ...u16(units.length)], ...units.flatMap((unit) => [u16(unit.length), unit])]);
  return box(
    'hvcC',
    [1],
    sps.profileTierLevel,
    [...u16(0xf000), 0xfc, 0xfc | sps.chroma, 0xf8 | (sps.lumaDepth - 8), 0xf8 | (sps.chromaDepth - 8), ...u16(0)],
    [(sps.subLayers << 3) | (sps.nested ? 4 : 0) | 3, 3],
    ...arrays,
  );
}
