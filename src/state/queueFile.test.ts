/** The queue on disk (W2): what it holds through restarts at any byte, what it lets go of and what happens on a full disk. */
import { execFileSync } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LivetapeError } from '../base/index.js';
import { openQueueFile, type QueueFile } from './queueFile.js';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'livetape-queue-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface Opened {
  readonly queue: QueueFile;
  readonly out: string[];
  readonly troubles: (LivetapeError | undefined)[];
}

function opened(path: string, { maxRecords = 10_000, maxBytes = 16 * 1024 * 1024 } = {}): Opened {
  const out: string[] = [];
  const troubles: (LivetapeError | undefined)[] = [];
  const queue = openQueueFile({
    path,
    maxRecords,
    maxBytes,
    pushedOut: (texts) => void out.push(...texts),
    trouble: (error) => void troubles.push(error),
  });
  onTestFinished(() => queue.close());
  return { queue, out, troubles };
}

const ALL = [100_000, Infinity] as const;
const text = (n: number): string => JSON.stringify({ n });

async function drained(path: string): Promise<string[]> {
  const { queue } = opened(path);
  const found: string[] = [];
  for (;;) {
    const taken = await queue.take(...ALL);
    if (taken.length === 0) break;
    found.push(...taken);
    await queue.drop();
  }
  await queue.close();
  return found;
}

describe('queueFile', () => {
  it('gives back in order what was appended, and takes the same until it is dropped, after a restart too', async () => {
    const path = join(await temporaryFolder(), 'hook', 'queue.jsonl');
    const first = opened(path);
    for (let n = 0; n < 5; n++) first.queue.append(text(n));
    expect(await first.queue.take(2, Infinity)).toEqual([text(0), text(1)]);
    first.queue.append(text(5));
    expect(await first.queue.take(100, Infinity)).toEqual([text(0), text(1)]);
    await first.queue.close();
    expect([(await stat(path)).mode & 0o777, (await stat(join(path, '..'))).mode & 0o777]).toEqual([0o600, 0o700]);

    const { queue } = opened(path);
    expect(await queue.take(100, Infinity)).toEqual([text(0), text(1)]);
    expect(queue.count).toBe(6);
    await queue.drop();
    expect(await queue.take(100, text(2).length * 2)).toEqual([text(2), text(3)]);
    await queue.drop();
    expect(await queue.newest(1)).toEqual([text(5)]);
    expect(await queue.newest(9)).toEqual([text(5), text(4)]);
    expect(queue.sizeBytes).toBe(text(4).length * 2);
    // one that is too large alone comes alone
    expect(await queue.take(100, 1)).toEqual([text(4)]);
  });

  it('nothing appended before the file was read is mixed up with what it holds', async () => {
    const path = join(await temporaryFolder(), 'queue.jsonl');
    const first = opened(path);
    first.queue.append(text(0));
    await first.queue.close();
    const second = opened(path);
    second.queue.append(text(1));
    expect(await second.queue.take(...ALL)).toEqual([text(0), text(1)]);
  });

  it('a file that ends at any byte gives what is whole of it, and takes what comes', async () => {
    const folder = await temporaryFolder();
    const made = opened(join(folder, 'queue.jsonl'));
    for (let n = 0; n < 4; n++) made.queue.append(JSON.stringify({ n, name: 'Ä☃' }));
    await made.queue.take(2, Infinity);
    await made.queue.drop();
    made.queue.append(text(4));
    await made.queue.take(1, Infinity);
    await made.queue.close();
    const whole = await readFile(join(folder, 'queue.jsonl'));
    const records = [0, 1, 2, 3].map((n) => JSON.stringify({ n, name: 'Ä☃' })).concat(text(4));
    for (let end = 0; end <= whole.length; end++) {
      const path = join(folder, `cut-${end}.jsonl`);
      await writeFile(path, whole.subarray(0, end));
      const { queue, troubles } = opened(path);
      queue.append(text(99));
      const lines = whole.subarray(0, end).toString().split('\n').slice(0, -1);
      const kept = records.filter((record) => lines.some((line) => line.endsWith(`,${record}]`)));
      const isDropped = lines.some((line) => line.startsWith('["gone"'));
      await queue.idle();
      await queue.close();
      expect(await drained(path), `cut at ${end}`).toEqual([...(isDropped ? kept.slice(2) : kept), text(99)]);
      expect(troubles).toEqual([]);
    }
  });

  it('lines that say nothing, and some that are much too long, are passed over', async () => {
    const path = join(await temporaryFolder(), 'queue.jsonl');
    const first = opened(path);
    first.queue.append(text(0));
    await first.queue.close();
    await appendFile(path, `what\n\n[2,]\n["gone",7]\n["gone",9,8]\n[3,"${'x'.repeat(600_000)}"]\n\u0000\n[4,{"n":1}]\n`);
    const { queue } = opened(path, { maxBytes: 1000 });
    queue.append(text(2));
    expect(await queue.take(...ALL)).toEqual([text(0), text(1), text(2)]);
  });

  it('the oldest go when there are too many or they are too large, but for those that are taken', async () => {
    const path = join(await temporaryFolder(), 'queue.jsonl');
    const { queue, out } = opened(path, { maxRecords: 3 });
    for (let n = 0; n < 3; n++) queue.append(text(n));
    await queue.take(1, Infinity);
    for (let n = 3; n < 6; n++) queue.append(text(n));
    await queue.idle();
    expect(out).toEqual([text(1), text(2), text(3)]);
    expect(await queue.take(...ALL)).toEqual([text(0)]);
    await queue.drop();
    expect(await queue.take(...ALL)).toEqual([text(4), text(5)]);
    await queue.close();

    // taken of before: 4 and 5; what is larger than all there may be leaves at once
    const small = opened(path, { maxBytes: 20 });
    small.queue.append(JSON.stringify({ long: 'x'.repeat(50) }));
    await small.queue.idle();
    expect(small.out).toEqual([JSON.stringify({ long: 'x'.repeat(50) })]);
    expect([small.queue.count, small.queue.sizeBytes]).toEqual([2, 2 * text(4).length]);
  });

  it('what leaves a full queue while it is being written has left, and left once', async () => {
    const path = join(await temporaryFolder(), 'queue.jsonl');
    const { queue, out } = opened(path, { maxRecords: 5 });
    let made = 0;
    for (let round = 0; round < 200; round++) {
      for (let count = 0; count < 1 + (round % 9); count++) queue.append(text(made++));
      // now before a write has begun, now in the middle of one
      for (let turn = 0; turn < round % 4; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    await queue.idle();
    const left = await queue.take(...ALL);
    const all = Array.from({ length: made }, (_, n) => text(n));
    expect([...out].sort()).toEqual(all.slice(0, -5).sort());
    expect(left).toEqual(all.slice(-5));
    await queue.close();
    expect(await drained(path)).toEqual(left);
  });

  it('the file does not grow with what has gone through it', async () => {
    const path = join(await temporaryFolder(), 'queue.jsonl');
    const { queue } = opened(path);
    const body = 'x'.repeat(1000);
    queue.append(text(-1));
    let largest = 0;
    for (let round = 0; round < 20; round++) {
      for (let n = 0; n < 100; n++) queue.append(JSON.stringify({ n: round * 100 + n, body }));
      await queue.take(100, Infinity);
      await queue.drop();
      await queue.idle();
      largest = Math.max(largest, (await stat(path)).size);
    }
    expect(largest).toBeLessThan(700_000);
    const left = await queue.take(...ALL);
    expect(left.map((one) => (JSON.parse(one) as { n: number }).n)).toEqual([1999]);
    await queue.close();
    expect(await drained(path)).toEqual(left);
  });

  it('what is appended, taken, dropped and read again is what a list would give (fuzz)', async () => {
    const folder = await temporaryFolder();
    const step = fc.oneof(
      fc.record({ do: fc.constant('append' as const), size: fc.integer({ min: 0, max: 200_000 }), times: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ do: fc.constant('take' as const), count: fc.integer({ min: 1, max: 6 }), bytes: fc.integer({ min: 1, max: 400_000 }) }),
      fc.record({ do: fc.constantFrom('drop' as const, 'restart' as const, 'tear' as const, 'idle' as const) }),
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const path = join(folder, `fuzz-${run++}.jsonl`);
        const limits = { maxRecords: 8, maxBytes: 600_000 };
        let { queue, out } = opened(path, limits);
        let model: string[] = [];
        let taken = 0;
        let modelOut: string[] = [];
        let n = 0;
        const bounds = (): void => {
          const size = (): number => model.reduce((sum, one) => sum + one.length, 0);
          while ((model.length > limits.maxRecords || size() > limits.maxBytes) && model.length > taken)
            modelOut.push(...model.splice(taken, 1));
        };
        for (const one of steps) {
          if (one.do === 'append') {
            for (let i = 0; i < one.times; i++) {
              const made = JSON.stringify({ n: n++, x: 'x'.repeat(one.size) });
              queue.append(made);
              model.push(made);
              await queue.idle();
              bounds();
            }
          } else if (one.do === 'take') {
            if (taken === 0) {
              let bytes = 0;
              for (const made of model) {
                if (taken >= one.count || (taken > 0 && bytes + made.length > one.bytes)) break;
                [taken, bytes] = [taken + 1, bytes + made.length];
              }
            }
            expect(await queue.take(one.count, one.bytes)).toEqual(model.slice(0, taken));
          } else if (one.do === 'drop') {
            await queue.drop();
            model = model.slice(taken);
            taken = 0;
          } else if (one.do === 'idle') await queue.idle();
          else {
            await queue.close();
            expect(out).toEqual(modelOut);
            modelOut = [];
            if (one.do === 'tear') await appendFile(path, '[999,{"torn":').catch(() => undefined);
            ({ queue, out } = opened(path, limits));
            await queue.idle();
          }
          expect([queue.count, queue.sizeBytes]).toEqual([model.length, model.reduce((sum, made) => sum + made.length, 0)]);
        }
        await queue.close();
        expect(out).toEqual(modelOut);
        expect(await drained(path)).toEqual(model);
        await rm(path, { force: true });
      }),
      { numRuns: 60 },
    );
  });

  it('a full disk is told once; what came meanwhile is there, and is written when there is room again', async (context) => {
    const folder = await temporaryFolder();
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], { stdio: 'ignore' });
    } catch {
      context.skip('only root can mount');
    }
    onTestFinished(() => void execFileSync('umount', ['-l', folder]));
    const path = join(folder, 'queue.jsonl');
    const { queue, troubles } = opened(path);
    queue.append(text(0));
    await queue.idle();
    await writeFile(join(folder, 'filler'), Buffer.alloc(1024 * 1024)).catch(() => undefined);
    const long = JSON.stringify({ long: 'x'.repeat(10_000) });
    for (let n = 0; n < 5; n++) {
      queue.append(long);
      await queue.idle();
    }
    expect(troubles.map((error) => error?.code)).toEqual(['STATE_UNWRITABLE']);
    expect(await queue.take(3, Infinity)).toEqual([text(0), long, long]);
    await rm(join(folder, 'filler'));
    queue.append(text(1));
    await queue.idle();
    expect(troubles.map((error) => error?.code)).toEqual(['STATE_UNWRITABLE', undefined]);
    await queue.drop();
    await queue.close();
    expect(await drained(path)).toEqual([long, long, long, text(1)]);
  });

  it('memory is bounded when nothing can be written, too', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    // its folder is a file
    const { queue, out, troubles } = opened(join(folder, 'file', 'queue.jsonl'), { maxRecords: 10 });
    for (let n = 0; n < 25; n++) queue.append(text(n));
    await queue.idle();
    expect(queue.count).toBe(10);
    expect(out).toHaveLength(15);
    expect(troubles.map((error) => error?.code)).toEqual(['STATE_UNWRITABLE']);
  });

  it('10,000 texts of 1 KiB come back', async () => {
    const path = join(await temporaryFolder(), 'queue.jsonl');
    const { queue } = opened(path);
    const body = 'x'.repeat(1000);
    for (let n = 0; n < 10_000; n++) queue.append(JSON.stringify({ n, body }));
    await queue.close();
    const found = await drained(path);
    expect(found.map((one) => (JSON.parse(one) as { n: number }).n)).toEqual(Array.from({ length: 10_000 }, (_, n) => n));
  });
});
