/**
 * Many live streams in one process: N UDP sources on loopback, recorded by one Livetape, for a while. Says whether anything
 * was lost and what it cost in CPU and memory per stream, beside one ffmpeg recording the same stream in the same run.
 *
 *   npm run bench:streams -- [STREAMS] [SECONDS] [MBPS]
 */
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLivetape } from '../src/index.js';

const PACKET = 188;
const DATAGRAM = 7 * PACKET;

interface SenderPlan {
  readonly file: string;
  readonly ports: readonly number[];
  readonly seconds: number;
  readonly bytesPerSecond: number;
}

if (process.argv[2] === '--send') await send(JSON.parse(process.argv[3] ?? '') as SenderPlan);
else await main();

async function main(): Promise<void> {
  const [streams = 100, seconds = 60, mbps = 2] = process.argv.slice(2).map(Number);
  const root = mkdtempSync(join(tmpdir(), 'livetape-bench-'));
  try {
    const file = join(root, 'sample.ts');
    execFileSync('ffmpeg', [
      ...[
        '-nostdin',
        '-v',
        'error',
        '-f',
        'lavfi',
        '-i',
        `testsrc2=size=640x360:rate=25:duration=${seconds + 2}`,
        '-f',
        'lavfi',
        '-i',
        `sine=duration=${seconds + 2}:sample_rate=48000`,
      ],
      ...[
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-g',
        '50',
        '-keyint_min',
        '50',
        '-sc_threshold',
        '0',
        '-b:v',
        `${mbps * 0.9}M`,
        '-maxrate',
        `${mbps * 0.9}M`,
        '-bufsize',
        `${mbps}M`,
      ],
      ...['-c:a', 'aac', '-pix_fmt', 'yuv420p', '-muxrate', `${mbps}M`, '-f', 'mpegts', file],
    ]);
    const ports = await freePorts(streams + 1);
    const livetape = await createLivetape({ root });
    const recorded = ports.slice(0, streams);
    for (const [i, port] of recorded.entries()) {
      livetape.connect(`udp://127.0.0.1:${port}`, `s${i}`);
      await livetape.dvr.startRecording(`s${i}`, '', { enabled: true, segmentDuration: 4, retentionSec: 0, maxSizeGb: 0, storagePath: '' });
    }
    const peerPort = ports[streams] ?? 0;
    const peer = spawn(
      'ffmpeg',
      [
        '-nostdin',
        '-v',
        'error',
        '-i',
        `udp://127.0.0.1:${peerPort}?fifo_size=100000`,
        '-c',
        'copy',
        '-f',
        'hls',
        '-hls_time',
        '4',
        '-hls_list_size',
        '0',
        join(root, 'peer.m3u8'),
      ],
      { stdio: 'ignore' },
    );
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const idleRss = process.memoryUsage().rss;
    const before = process.cpuUsage();
    const startedMs = performance.now();
    const plan: SenderPlan = { file, ports, seconds, bytesPerSecond: (mbps * 1e6) / 8 };
    const sender = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), '--send', JSON.stringify(plan)], {
      stdio: 'inherit',
    });
    await new Promise((resolve) => sender.once('exit', resolve));
    const cpu = process.cpuUsage(before);
    const wallSec = (performance.now() - startedMs) / 1000;
    const rss = process.memoryUsage().rss;
    const peerTicks = readFileSync(`/proc/${peer.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const peerCpuSec = (Number(peerTicks[11]) + Number(peerTicks[12])) / 100;
    const peerRss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${peer.pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
    peer.kill('SIGKILL');

    let lost = 0;
    let segments = 0;
    let received = 0;
    for (let i = 0; i < streams; i++) {
      const session = livetape.dvr.status(`s${i}`)?.session;
      lost += (session?.errors.continuity ?? 0) + (session?.droppedBytes ?? 0);
      received += session?.receivedBytes ?? 0;
      await livetape.dvr.stopRecording(`s${i}`);
      segments += (await livetape.dvr.parsePlaylist(join(root, `s${i}`))).length;
    }
    await livetape.close();
    const ownCpuSec = (cpu.user + cpu.system) / 1e6;
    const sent = streams * Math.floor((plan.bytesPerSecond * seconds) / DATAGRAM) * DATAGRAM;
    console.log(`${streams} streams of ${mbps} Mbps for ${wallSec.toFixed(1)} s: ${segments} segments`);
    console.log(`received ${received} of ${sent} bytes, ${lost} continuity errors or bytes dropped`);
    console.log(
      `CPU per stream: ${((1000 * ownCpuSec) / wallSec / streams).toFixed(2)} ms/s; one ffmpeg: ${((1000 * peerCpuSec) / wallSec).toFixed(2)} ms/s; ratio ${(ownCpuSec / streams / peerCpuSec).toFixed(3)}`,
    );
    console.log(
      `memory per stream: ${((rss - idleRss) / streams / 1e6).toFixed(2)} MB (process ${(rss / 1e6).toFixed(0)} MB, idle ${(idleRss / 1e6).toFixed(0)} MB); one ffmpeg: ${(peerRss / 1e6).toFixed(1)} MB`,
    );
    process.exitCode = received === sent && lost === 0 ? 0 : 1;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Sends the file to every port at its rate, in a process of its own. */
async function send(plan: SenderPlan): Promise<void> {
  const bytes = readFileSync(plan.file);
  const socket = createSocket({ type: 'udp4', sendBufferSize: 4 * 1024 * 1024 });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const total = Math.floor((plan.bytesPerSecond * plan.seconds) / DATAGRAM);
  const startedMs = performance.now();
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.floor((((performance.now() - startedMs) / 1000) * plan.bytesPerSecond) / DATAGRAM));
    for (; sent < due; sent++) {
      const datagram = bytes.subarray(
        (sent * DATAGRAM) % (bytes.length - DATAGRAM),
        ((sent * DATAGRAM) % (bytes.length - DATAGRAM)) + DATAGRAM,
      );
      await Promise.all(
        plan.ports.map((port) => new Promise<void>((resolve) => socket.send(datagram, port, '127.0.0.1', () => resolve()))),
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
  socket.close();
}

async function freePorts(count: number): Promise<number[]> {
  const sockets = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = createSocket('udp4');
      await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
      return socket;
    }),
  );
  const ports = sockets.map((socket) => socket.address().port);
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  return ports;
}
