/** A pool on a folder, with recorders that run from source, for tests of this folder; and senders that a test directs. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { systemClock, type LogFields } from '../../base/index.js';
import { piece, until, type ContractService, type Feed } from '../dvrContract.js';
import type { RecorderPool } from '../pool.js';
import { ChildProcessDvrService } from './childProcessDvrService.js';
import type { PoolOptions } from './recorders.js';

/** A pool with what it logged. */
export interface TestPool extends ContractService {
  readonly dvr: ChildProcessDvrService;
  readonly logged: { readonly level: string; readonly fields: LogFields; readonly message: string }[];
}

/** Opens a pool of two, or as `options` say; the test closes it. Its recorders end soon when it is not there any more. */
export async function testPool(root: string, options: Partial<PoolOptions> = {}): Promise<TestPool> {
  const logged: TestPool['logged'] = [];
  const at = (level: string) => (fields: LogFields, message: string) => void logged.push({ level, fields, message });
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const limits = { orphanMs: 15_000, ...options.limits };
  const dvr = await ChildProcessDvrService.open({
    ...{ root, recorders: 2, version: 'test', logLevel: 'silent', clock: systemClock, log },
    ...options,
    limits,
  });
  onTestFinished(() => dvr.close());
  return { dvr, logged, feed: (bufferId) => feedBy(dvr, bufferId) };
}

/** A server of this test's that sends to whoever connects. */
export interface Sender extends Feed {
  readonly url: string;
  /** How many are connected. */
  readonly receivers: () => number;
}

/** Starts one; it is gone when the test is. */
export async function startSender(): Promise<Sender> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    receivers: () => sockets.size,
    write: async (bytes) => {
      await Promise.all([...sockets].map((socket) => new Promise<void>((resolve) => socket.write(bytes, () => resolve()))));
    },
  };
}

/** How often a live sender sends. */
const SEND_EVERY_MS = 40;

/** A sender that sends a stream as it goes on in time, to whoever is connected: what nobody takes is lost. */
export async function startLiveSender(): Promise<Sender> {
  const sender = await startSender();
  const startMs = Date.now();
  let sentSec = 0;
  const timer = setInterval(() => {
    const nowSec = Math.min(60, (Date.now() - startMs) / 1000);
    void sender.write(piece(sentSec, nowSec));
    sentSec = nowSec;
  }, SEND_EVERY_MS);
  onTestFinished(() => clearInterval(timer));
  return sender;
}

/** A server process that records streams from a source; kept when it does. It is killed when the test is over, if not before. */
export async function startServer(root: string, source: string, ...streams: string[]): Promise<{ kill(): Promise<void> }> {
  const script = fileURLToPath(new URL('testServer.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, root, source, ...streams], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(kill);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await until('a server that records', () => said.includes('ready'));
  return { kill };
}

/** Whether a process runs; one that was killed and is not waited for does not. */
export function runs(pid: number | undefined): boolean {
  try {
    return pid !== undefined && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function feedBy(pool: RecorderPool, bufferId: string): Promise<Feed> {
  const sender = await startSender();
  await pool.connect(sender.url, bufferId);
  await until('a connection', () => sender.receivers() > 0);
  return sender;
}
