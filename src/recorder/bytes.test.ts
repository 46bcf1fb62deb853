/** Bytes pass through: what is stored is what came, for every sample there is, however it was cut into chunks. */
import { describe, expect, it } from 'vitest';
import { makeSample, SAMPLE_NAMES, type SampleName } from '../../test/samples.js';
import { TsBuilder } from '../../test/tsBuilder.js';
import { CONFIG, feed, joined, testService } from './testService.js';

async function record(bytes: Uint8Array, chunkBytes: number, program?: number | 'all'): Promise<{ joined: Buffer; journal: string }> {
  const service = testService();
  const buffer = service.buffers.open('x');
  await service.dvr.startRecording('x', '', { ...CONFIG, segmentDuration: 1 }, { program });
  await feed(buffer, bytes, chunkBytes);
  await service.dvr.stopRecording('x');
  const journal = new TextDecoder().decode(await service.storage.stream('x').readJournal(0, 1e9));
  return { joined: await joined(service.storage, 'x'), journal };
}

const pidOf = (packet: Uint8Array): number => (((packet[1] ?? 0) & 0x1f) << 8) | (packet[2] ?? 0);

function packetsOf(bytes: Uint8Array): Uint8Array[] {
  const size = bytes[188] === 0x47 ? 188 : 192;
  const packets = [];
  for (let at = size - 188; at + 188 <= bytes.length; at += size) packets.push(bytes.subarray(at, at + 188));
  return packets;
}

describe('F1, F2: the packets of the program, byte for byte', () => {
  it.each(SAMPLE_NAMES)('%s', async (name: SampleName) => {
    const sample = await makeSample(name);
    const stored = packetsOf((await record(sample, 1316)).joined);
    const kept = new Set(stored.map(pidOf));
    const sent = packetsOf(sample).filter((packet) => kept.has(pidOf(packet)));
    const lost = sent.length - stored.length;
    // what comes before the first keyframe and its tables is left out; all after it is there
    expect(lost).toBeGreaterThanOrEqual(0);
    expect(lost).toBeLessThan(0.4 * sent.length);
    const several = name === 'two-programs';
    for (const [i, packet] of stored.entries()) {
      const original = sent[i + lost];
      if (several && pidOf(packet) === 0) expect([...packet.subarray(0, 4)]).toEqual([...(original?.subarray(0, 4) ?? [])]);
      else if (Buffer.compare(packet, original ?? new Uint8Array()) !== 0) expect.fail(`packet ${i} differs`);
    }
  });

  it('other programs are left out, and the PAT names the chosen one alone', async () => {
    const builder = new TsBuilder();
    builder.stream({ seconds: 5, otherPrograms: 3, program: 7 });
    const bytes = builder.bytes();
    const { joined: stored } = await record(bytes, 4096);
    const pids = new Set(packetsOf(stored).map(pidOf));
    expect([...pids].sort((a, b) => a - b)).toHaveLength(4);
    for (const packet of packetsOf(stored).filter((p) => pidOf(p) === 0)) {
      expect((packet[6] ?? 0) & 0x0f).toBe(0);
      expect(packet[7]).toBe(13); // section_length: one program
      expect(((packet[13] ?? 0) << 8) | (packet[14] ?? 0)).toBe(7);
    }
    const all = await record(bytes, 4096, 'all');
    expect(
      Buffer.from(bytes)
        .subarray(bytes.length - all.joined.length)
        .equals(all.joined),
    ).toBe(true);
  });
});

describe('a stream cut into chunks of any size gives the same archive', () => {
  it.each([1, 7, 187, 188, 189, 1316, 65_536, 10_000_000])('chunks of %d bytes', async (chunkBytes) => {
    const sample = (await makeSample('h264-aac')).subarray(188 * 3 + 5);
    const reference = await record(sample, 4096);
    const other = await record(sample, chunkBytes);
    expect(other.journal).toBe(reference.journal);
    expect(other.joined.equals(reference.joined)).toBe(true);
    expect(reference.journal.match(/\.ts$/gm)?.length).toBeGreaterThan(3);
  });
});
