/** A pool on a folder, with recorders that run from source, for tests of this folder; and senders that a test directs. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { systemClock, type LogFields } from '../../base/index.js';
import { until, type ContractService, type Feed } from '../dvrContract.js';
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

async function feedBy(pool: RecorderPool, bufferId: string): Promise<Feed> {
  const sender = await startSender();
  await pool.connect(sender.url, bufferId);
  await until('a connection', () => sender.receivers() > 0);
  return sender;
}
