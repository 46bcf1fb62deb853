/** A service on a memory storage with a clock that is moved by hand, for tests of this room. */
import { ManualClock, silentLogger } from '../base/index.js';
import { MediaBuffers, type MediaBuffer } from '../buffer/index.js';
import { createMemoryStorage, type Storage } from '../storage/index.js';
import type { DvrConfig } from './config.js';
import { InProcessDvrService } from './service.js';

export const CONFIG: DvrConfig = { enabled: true, segmentDuration: 4, retentionSec: 0, maxSizeGb: 0, storagePath: '' };

export interface TestService {
  readonly clock: ManualClock;
  readonly buffers: MediaBuffers;
  readonly storage: Storage;
  readonly dvr: InProcessDvrService;
  /** What was warned of. */
  readonly warnings: readonly string[];
}

/** A service; its streams lie in `storage`, memory unless given. */
export function testService(storage: Storage = createMemoryStorage(), clock = new ManualClock(), minFreeGb = 0): TestService {
  const buffers = new MediaBuffers({ clock });
  const warnings: string[] = [];
  const dvr = new InProcessDvrService({
    storage,
    buffers,
    clock,
    log: { ...silentLogger, warn: (_fields, message) => warnings.push(message) },
    minFreeGb,
    openRoot: () => storage,
    openFolder: (folder) => storage.stream(folder.split('/').at(-1) ?? ''),
  });
  return { clock, buffers, storage, dvr, warnings };
}

/** Lets everything that is under way without a timer come to its end. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Writes all of `bytes` in chunks, waiting where the buffer asks for it; time stands still. */
export async function feed(buffer: MediaBuffer, bytes: Uint8Array, chunkBytes: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    buffer.write(bytes.subarray(at, at + chunkBytes));
    await buffer.room();
  }
}

/** Writes `bytes` over `seconds` of the clock's time, as a live source would. */
export async function play(service: TestService, buffer: MediaBuffer, bytes: Uint8Array, seconds: number): Promise<void> {
  const steps = Math.ceil(seconds * 25);
  const packets = Math.floor(bytes.length / 188);
  for (let step = 0; step < steps; step++) {
    const [from, to] = [Math.floor((packets * step) / steps), Math.floor((packets * (step + 1)) / steps)];
    if (to > from) buffer.write(bytes.subarray(from * 188, to * 188));
    service.clock.advance(40);
    if (step % 25 === 0) await settle();
  }
  await settle();
}

/** Every listed segment of a stream: its entry's facts and its bytes. */
export async function segmentsOf(storage: Storage, code: string): Promise<{ uri: string; head: number; bytes: Uint8Array }[]> {
  const place = storage.stream(code);
  const text = new TextDecoder().decode(await place.readJournal(0, 1e9));
  const segments = [];
  for (const [, facts = '', uri = ''] of text.matchAll(/#livetape (n=.*)\n(\S+)\n/g)) {
    const bytes = await place.read(uri, 0, 1e9);
    if (!bytes) throw new Error(`${uri} is listed and not there`);
    segments.push({ uri, head: Number(/ head=(\d+)/.exec(facts)?.[1] ?? 0), bytes });
  }
  return segments;
}

/** The packets of a recording without the inserted tables, joined. */
export async function joined(storage: Storage, code: string): Promise<Buffer> {
  return Buffer.concat((await segmentsOf(storage, code)).map(({ head, bytes }) => bytes.subarray(head)));
}
