/** Probing: real bytes of the built-in channel through a file and a socket, and what is none. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { isLivetapeError, silentLogger, systemClock } from '../../base/index.js';
import { probeSource } from './index.js';

const DEMO = join(import.meta.dirname, '../../../assets/demo.ts');
const options = { clock: systemClock, log: silentLogger };
const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

/** A port on which every client is sent `bytes`, over and over. */
async function serve(bytes: Uint8Array): Promise<number> {
  const server = createServer((socket) => {
    const send = (): void => void (socket.writable && socket.write(bytes, send));
    socket.on('error', () => undefined);
    send();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('probeSource', () => {
  it('says what is in a file', async () => {
    const report = await probeSource(`file:${DEMO}?pace=0`, options);
    expect(report.programs).toHaveLength(1);
    const [program] = report.programs;
    const video = program?.tracks.find(({ role }) => role === 'video');
    const audio = program?.tracks.find(({ role }) => role === 'audio');
    // as ffprobe says of assets/demo.ts: h264 640x360, 25 frames per second, a keyframe every second; 16 s
    expect(video).toMatchObject({ codec: 'h264', width: 640, height: 360, scrambledPackets: 0 });
    expect(video?.frameRate).toBeCloseTo(25, 6);
    expect(audio?.codec).toBe('aac');
    expect(audio?.frameRate).toBeUndefined();
    expect(report.durationSec).toBeGreaterThan(15);
    expect(report.durationSec).toBeLessThanOrEqual(16);
    const { length } = await readFile(DEMO);
    expect(report.receivedBytes).toBe(length);
    // what comes before the first PAT (a packet of the SDT) cannot be recorded, and is not counted
    expect(report.packets * 188).toBe(length - 188);
    expect(report.bitrate).toBeCloseTo(((length - 188) * 8) / report.durationSec, 6);
    expect(video?.gop?.keyframes).toBeGreaterThan(2);
    expect(video?.gop?.maxSec).toBeGreaterThanOrEqual(video?.gop?.meanSec ?? Infinity);
    expect(report.errors).toEqual({ continuity: 0, transportError: 0, syncSkippedBytes: 0, scrambled: 0, crc: 0 });
  });

  it('counts what is wrong', async () => {
    const bytes = new Uint8Array(await readFile(DEMO));
    // a packet of the video is missing in the middle, and the one after the next flags an error
    const at = 188 * 2000;
    const damaged = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 188)]);
    damaged[at + 1] = (damaged[at + 1] ?? 0) | 0x80;
    const folder = await mkdtemp(join(tmpdir(), 'livetape-probe-'));
    const path = join(folder, 'damaged.ts');
    await writeFile(path, damaged);
    const report = await probeSource(`file:${path}?pace=0`, options);
    expect(report.errors.continuity).toBeGreaterThan(0);
    expect(report.errors.transportError).toBe(1);
  });

  it('looks at a live source until it has seen enough, and lets go of it', async () => {
    const port = await serve(await readFile(DEMO));
    const report = await probeSource(`tcp://127.0.0.1:${port}`, options);
    expect(report.programs[0]?.tracks.map(({ codec }) => codec)).toEqual(['h264', 'aac']);
    expect(report.stats.connections).toBe(1);
    const connections = (): Promise<number> => new Promise((resolve) => servers[0]?.getConnections((_error, count) => resolve(count)));
    await expect.poll(connections).toBe(0);
  });

  it('refuses what is no transport stream', async () => {
    const port = await serve(new Uint8Array(65536).fill(0x20));
    await expect(probeSource(`tcp://127.0.0.1:${port}`, options)).rejects.toSatisfy((error) => isLivetapeError(error, 'SOURCE_NOT_TS'));
  });

  it('says what keeps a source from being opened', async () => {
    await expect(probeSource('file:/nowhere.ts', options)).rejects.toSatisfy((error) => isLivetapeError(error, 'SOURCE_NOT_FOUND'));
    await expect(probeSource('xyz://a', options)).rejects.toSatisfy((error) => isLivetapeError(error, 'SOURCE_UNSUPPORTED'));
  });

  it('is ended early', async () => {
    const abort = new AbortController();
    const probing = probeSource('udp://127.0.0.1:9', { ...options, signal: abort.signal });
    abort.abort();
    await expect(probing).rejects.toSatisfy((error) => isLivetapeError(error, 'CLOSED'));
  });
});
