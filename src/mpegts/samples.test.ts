/** The reader against ffprobe, on streams that ffmpeg made: the same access units, time stamps and keyframes. */
import { describe, expect, it } from 'vitest';
import { SAMPLE_NAMES, makeSample, probePackets, samplePath, type SampleName } from '../../test/samples.js';
import { scan } from '../../test/scan.js';
import { PACKET_SIZE } from './index.js';

const AUDIO_ONLY: readonly SampleName[] = ['mp2-only', 'ac3-only'];
/** Two fields share an access unit, or a keyframe is not a random access point: not compared by keyframe. */
const NOT_BY_KEYFRAME: readonly SampleName[] = ['h264-intra-refresh'];

describe.each(SAMPLE_NAMES)('%s', (name) => {
  it('has the units, time stamps and random access points that ffprobe finds', { timeout: 60_000 }, async () => {
    const path = await samplePath(name);
    const { units, reader } = scan(await makeSample(name));
    expect(reader.errors).toEqual({ continuity: 0, transportError: 0, syncSkippedBytes: 0, scrambled: 0, crc: 0 });
    const reference = units.filter((unit) => unit.reference);
    const probed = await probePackets(path, AUDIO_ONLY.includes(name) ? 'a:0' : 'v:0');
    if (!AUDIO_ONLY.includes(name)) {
      expect(reference.map(({ pts90k, dts90k }) => ({ pts90k, dts90k }))).toEqual(probed.map(({ pts90k, dts90k }) => ({ pts90k, dts90k })));
      if (!NOT_BY_KEYFRAME.includes(name)) expect(reference.map((unit) => unit.randomAccess)).toEqual(probed.map(({ key }) => key));
    } else {
      // a PES packet holds several frames; ffprobe tells each
      const known = new Set(probed.map(({ pts90k }) => pts90k));
      expect(reference.length).toBeGreaterThan(5);
      for (const unit of reference) expect(known).toContain(unit.pts90k);
      expect(reference.every((unit) => unit.randomAccess)).toBe(true);
    }
    expect(reference.some((unit) => unit.formatChanged)).toBe(false);
  });

  it('is stored packet for packet', async () => {
    const input = await makeSample(name);
    const { bytes, reader } = scan(input);
    if (name === 'two-programs') return expect(bytes.length).toBeLessThan(input.length);
    const stride = name === 'm2ts' ? 192 : 188;
    const lead = stride - PACKET_SIZE;
    const first = input.length / stride - bytes.length / PACKET_SIZE;
    expect(first).toBeLessThan(3); // an SDT in front of the first PAT
    for (let packet = 0; packet < bytes.length / PACKET_SIZE; packet++) {
      const at = (first + packet) * stride + lead;
      expect(Buffer.compare(bytes.subarray(packet * PACKET_SIZE, (packet + 1) * PACKET_SIZE), input.subarray(at, at + PACKET_SIZE))).toBe(
        0,
      );
    }
    expect(reader.position).toBe(bytes.length);
  });
});
