/** Recorder processes that are killed, stand, are left and are found again (docs/design/server.md, R1 to R6): what viewers of the archive see of it. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BRIEF, failure, heard, piece, playlist, testRoot, until } from '../src/recorder/dvrContract.js';
import type { RecorderStatus } from '../src/recorder/pool.js';
import { recorderOf } from '../src/recorder/children/spread.js';
import { runs, startLiveSender, startSender, startServer, testPool, type TestPool } from '../src/recorder/children/testPool.js';

/** A stream that is recorded in the recorder of that index, of two. */
const inRecorder = (index: number): string => {
  const code = ['a', 'b', 'c', 'd'].find((name) => recorderOf(name, 2) === index);
  if (code === undefined) throw new Error('none of these');
  return code;
};
const [A, B] = [inRecorder(0), inRecorder(1)];

const gapsIn = async (root: string, code: string): Promise<string[]> =>
  [...(await playlist(root, code)).matchAll(/why=(\w+)/g)].map(([, why = '']) => why);
const runsIn = async (root: string, code: string): Promise<number> =>
  1 + ((await playlist(root, code)).match(/^#EXT-X-DISCONTINUITY$/gm)?.length ?? 0);

function recorder(pool: TestPool, index: number): RecorderStatus & { pid: number } {
  const status = pool.dvr.recorders()[index];
  if (status?.pid === undefined) throw new Error(`recorder ${index} does not run`);
  return { ...status, pid: status.pid };
}

/** Waits for so many more segments of a stream. */
async function segments(pool: TestPool, code: string, count: number): Promise<void> {
  const events = heard(pool.dvr);
  await until(`${count} segments of ${code}`, () => events.filter((event) => event.startsWith(`segment ${code} `)).length >= count);
}

async function recordBoth(pool: TestPool, source: string): Promise<void> {
  for (const code of [A, B]) {
    await pool.dvr.startRecording(code, '', BRIEF);
    await pool.dvr.connect(source, code);
  }
  await Promise.all([segments(pool, A, 2), segments(pool, B, 2)]);
}

const log = (pool: TestPool): string => pool.logged.map(({ level, message }) => `${level} ${message}`).join('\n');

describe('a recorder', () => {
  it('R3: that is killed is replaced and its streams resume; the others never notice', async () => {
    const root = await testRoot();
    const pool = await testPool(root);
    const sender = await startLiveSender();
    await recordBoth(pool, sender.url);
    const events = heard(pool.dvr);
    const before = recorder(pool, 0);
    const other = recorder(pool, 1);
    const { startedAt } = pool.dvr.status(A)!.recording;
    process.kill(before.pid, 'SIGSTOP');
    const lost = failure(pool.dvr.setRetention(A, { retentionSec: 3600, maxSizeGb: 0 }));
    process.kill(before.pid, 'SIGKILL');
    expect(await lost).toMatchObject({ code: 'RECORDER_LOST' });
    expect(pool.dvr.isRecording(A)).toBe(true);
    expect(pool.dvr.status(A)).toMatchObject({ recording: { status: 'failed' }, error: { code: 'RECORDER_LOST' }, session: undefined });
    expect(pool.dvr.source(A)?.state).toBe('lost');
    expect(pool.dvr.recorders()[0]).toMatchObject({ state: 'lost', pid: undefined });
    // a command waits for the new one
    await pool.dvr.setRetention(A, { retentionSec: 3600, maxSizeGb: 0 });
    await segments(pool, A, 2);
    expect(pool.dvr.status(A)).toMatchObject({ recording: { status: 'recording', startedAt } });
    expect(pool.dvr.recordingConfig(A)?.retentionSec).toBe(3600);
    expect(recorder(pool, 0)).toMatchObject({ state: 'running', restarts: 1, streams: 1 });
    expect(recorder(pool, 0).pid).not.toBe(before.pid);
    expect(recorder(pool, 1)).toMatchObject({ pid: other.pid, restarts: 0 });
    expect(events.filter((event) => /failed|started/.test(event))).toEqual([`failed ${A} RECORDER_LOST`, `started ${A}`]);
    for (const code of [A, B]) await pool.dvr.stopRecording(code);
    expect(await gapsIn(root, A)).toEqual(['restart']);
    expect([await runsIn(root, B), await gapsIn(root, B)]).toEqual([1, []]);
  });

  it('R3: whose event loop stands is killed and replaced', async () => {
    const root = await testRoot();
    const pool = await testPool(root, { limits: { stallMs: 4000 } });
    const sender = await startLiveSender();
    await recordBoth(pool, sender.url);
    const { pid } = recorder(pool, 1);
    process.kill(pid, 'SIGSTOP');
    await until('a replacement', () => pool.dvr.recorders()[1]?.restarts === 1 && pool.dvr.recorders()[1]?.state === 'running');
    expect(log(pool)).toContain("error a recorder's event loop stands: it is killed");
    await until('its end', () => !runs(pid));
    await segments(pool, B, 2);
    for (const code of [A, B]) await pool.dvr.stopRecording(code);
    expect([await runsIn(root, A), await gapsIn(root, A)]).toEqual([1, []]);
    expect(await gapsIn(root, B)).toEqual(['restart']);
  });

  it('R3: a stream that cannot be resumed is tried again, shows why, and can be stopped', async () => {
    const root = await testRoot();
    const pool = await testPool(root);
    await recordBoth(pool, (await startLiveSender()).url);
    // somebody else takes the stream in the moment in which nobody has it
    const thief = await testPool(await testRoot(), { recorders: 1 });
    process.kill(recorder(pool, 0).pid, 'SIGSTOP');
    process.kill(recorder(pool, 0).pid, 'SIGKILL');
    await until(
      'the stream is free, and taken',
      async () => (await failure(thief.dvr.startRecording(A, '', { ...BRIEF, storagePath: root }))) === undefined,
    );
    await until('a try', () => pool.dvr.status(A)?.error?.code === 'STREAM_OWNED');
    expect(pool.dvr.isRecording(A)).toBe(true);
    await thief.dvr.close();
    await until('another try', () => pool.dvr.status(A)?.recording.status === 'recording');
    await segments(pool, A, 1);
    expect((await pool.dvr.stopRecording(A)).status).toBe('stopped');
  });

  it('R4: goes on when its server is killed, and is found by the next: no gap, no discontinuity', async () => {
    const root = await testRoot();
    const sender = await startLiveSender();
    const server = await startServer(root, sender.url, A, B);
    await until('segments', async () => (await playlist(root, A).catch(() => '')).includes('000001.ts'));
    const { error } = await testPool(root).then(
      () => ({ error: undefined }),
      (refused: unknown) => ({ error: refused }),
    );
    expect(error).toMatchObject({ code: 'ROOT_OWNED', context: { path: root } });
    await server.kill();
    const killed = (await playlist(root, A)).length;
    await until('what is recorded without a server', async () => (await playlist(root, A)).length > killed);
    const pool = await testPool(root);
    expect(log(pool)).toContain('info a recorder that was left running goes on');
    expect(
      pool.dvr
        .recordings()
        .map(({ id }) => id)
        .sort(),
    ).toEqual([A, B].sort());
    expect(pool.dvr.recordingConfig(A)).toEqual(BRIEF);
    expect(pool.dvr.source(A)).toMatchObject({ url: sender.url, state: 'connected', connections: 1 });
    const receivers = sender.receivers();
    await pool.dvr.connect(sender.url, A);
    await Promise.all([segments(pool, A, 2), segments(pool, B, 2)]);
    expect([sender.receivers(), pool.dvr.source(A)?.connections]).toEqual([receivers, 1]);
    expect(await failure(pool.dvr.startRecording(A, '', BRIEF))).toMatchObject({ code: 'ALREADY_RECORDING' });
    for (const code of [A, B]) {
      await pool.dvr.stopRecording(code);
      expect([await runsIn(root, code), await gapsIn(root, code)]).toEqual([1, []]);
    }
  });

  it('R4: that is let go of is found where a socket cannot lie, too, and belongs to one server at a time', async () => {
    const root = join(await testRoot(), 'x'.repeat(100));
    await mkdir(root);
    const first = await testPool(root);
    await recordBoth(first, (await startLiveSender()).url);
    const pids = [0, 1].map((index) => recorder(first, index).pid);
    await first.dvr.detach();
    expect(await failure(first.dvr.startRecording('z', '', BRIEF))).toMatchObject({ code: 'CLOSED' });
    const second = await testPool(root);
    expect([0, 1].map((index) => recorder(second, index).pid)).toEqual(pids);
    await segments(second, A, 2);
    await second.dvr.stopRecording(A);
    expect([await runsIn(root, A), await gapsIn(root, A)]).toEqual([1, []]);
    await second.dvr.close();
    expect(pids.filter(runs)).toEqual([]);
    const third = await testPool(root, { recorders: 1 });
    expect(third.dvr.recordings()).toEqual([]);
  });

  it('R4: that nobody finds commits its tails and ends', async () => {
    const root = await testRoot();
    const pool = await testPool(root, { limits: { orphanMs: 1000 } });
    await recordBoth(pool, (await startLiveSender()).url);
    const pids = [0, 1].map((index) => recorder(pool, index).pid);
    await pool.dvr.detach();
    const left = (await playlist(root, A)).length;
    await until('their end', () => !pids.some(runs));
    expect((await playlist(root, A)).length).toBeGreaterThan(left);
    expect(await playlist(root, A)).not.toContain('ENDLIST');
    expect((await readdir(join(root, A))).filter((name) => name.endsWith('.part'))).toEqual([]);
    expect(await readdir(join(root, '.recorders'))).toEqual([]);
  });

  it('R5: of another version is asked to end, and another is started', async () => {
    const root = await testRoot();
    const old = await testPool(root);
    await recordBoth(old, (await startLiveSender()).url);
    const pids = [0, 1].map((index) => recorder(old, index).pid);
    await old.dvr.detach();
    const pool = await testPool(root, { version: 'newer' });
    expect(log(pool)).toContain('info a recorder of another version is asked to end');
    await until('their end', () => !pids.some(runs));
    expect(pool.dvr.recordings()).toEqual([]);
    expect((await readdir(join(root, A))).filter((name) => name.endsWith('.part'))).toEqual([]);
    expect((await pool.dvr.startRecording(A, '', BRIEF)).status).toBe('recording');
  });

  it('that is one too many is ended', async () => {
    const root = await testRoot();
    const many = await testPool(root, { recorders: 2 });
    await recordBoth(many, (await startLiveSender()).url);
    const pids = [0, 1].map((index) => recorder(many, index).pid);
    await many.dvr.detach();
    const pool = await testPool(root, { recorders: 1 });
    expect(recorder(pool, 0).pid).toBe(pids[0]);
    await until('the end of the other', () => !runs(pids[1]));
    expect(pool.dvr.recordings().map(({ id }) => id)).toEqual([A]);
    expect((await pool.dvr.startRecording(B, '', BRIEF)).status).toBe('recording');
  });

  it('that answers nothing when it is found is killed and replaced', async () => {
    const root = await testRoot();
    const first = await testPool(root);
    const { pid } = recorder(first, 0);
    await first.dvr.detach();
    process.kill(pid, 'SIGSTOP');
    const second = await testPool(root, { limits: { stallMs: 1000 } });
    expect(log(second)).toContain('error a recorder that was left running does not answer: it is killed');
    expect(recorder(second, 0).pid).not.toBe(pid);
    await until('its end', () => !runs(pid));
  });
});

describe('a pool', () => {
  it('closes within 5 s: tails are committed, lives stay open, no process is left', async () => {
    const root = await testRoot();
    const pool = await testPool(root);
    await recordBoth(pool, (await startLiveSender()).url);
    const pids = [0, 1].map((index) => recorder(pool, index).pid);
    const before = (await playlist(root, A)).length;
    const startMs = Date.now();
    await pool.dvr.close();
    expect(Date.now() - startMs).toBeLessThan(5000);
    expect(pids.filter(runs)).toEqual([]);
    expect((await playlist(root, A)).length).toBeGreaterThan(before);
    expect(await playlist(root, A)).not.toContain('ENDLIST');
    expect(await readdir(join(root, '.recorders'))).toEqual([]);
  });

  it('kills a recorder that does not end, and says so', async () => {
    const pool = await testPool(await testRoot(), { limits: { closeMs: 500 } });
    const pids = [0, 1].map((index) => recorder(pool, index).pid);
    process.kill(pids[0]!, 'SIGSTOP');
    await pool.dvr.close();
    expect(log(pool)).toContain('error a recorder did not commit its tails in time: it is killed');
    await until('its end', () => !pids.some(runs));
  });

  it('says why a recorder cannot be started, and leaves nothing behind', async () => {
    const root = await testRoot();
    const error = await failure(testPool(root, { program: { path: join(root, 'none.js'), execArgv: [] } }));
    expect(error).toMatchObject({ code: 'RECORDER_LOST' });
    const pool = await testPool(root, { recorders: 1 });
    expect(pool.dvr.recorders()).toHaveLength(1);
  });

  it('without recorders records nothing, and leaves those alone who do', async () => {
    const root = await testRoot();
    const recording = await testPool(root, { recorders: 1 });
    const pool = await testPool(root, { recorders: 0 });
    expect(pool.dvr.recorders()).toEqual([]);
    expect(await failure(pool.dvr.startRecording('x', '', BRIEF))).toMatchObject({ code: 'RECORDING_DISABLED' });
    expect(recording.dvr.recorders()[0]?.state).toBe('running');
  });

  it('connects another source in the place of one, keeps the first where the second cannot be, and takes it away', async () => {
    const root = await testRoot();
    const pool = await testPool(root, { recorders: 1 });
    const [one, two] = [await startSender(), await startSender()];
    expect(await failure(pool.dvr.connect('nowhere', 'x'))).toMatchObject({ code: 'SOURCE_INVALID' });
    expect(pool.dvr.source('x')).toBeUndefined();
    await pool.dvr.connect(one.url, 'x');
    await until('the first', () => one.receivers() === 1);
    expect(await failure(pool.dvr.connect('gopher://x', 'x'))).toMatchObject({ code: 'SOURCE_UNSUPPORTED' });
    await until('a heartbeat', () => pool.dvr.source('x')?.state === 'connecting' || pool.dvr.source('x')?.state === 'connected');
    expect(one.receivers()).toBe(1);
    await pool.dvr.startRecording('x', '', BRIEF);
    await one.write(piece(0, 3));
    await segments(pool, 'x', 1);
    await pool.dvr.connect(two.url, 'x');
    await until('the second', () => one.receivers() === 0 && two.receivers() === 1);
    await two.write(piece(30, 33));
    await segments(pool, 'x', 2);
    expect((await playlist(root, 'x')).match(/^#EXT-X-DISCONTINUITY$/gm)).toHaveLength(1);
    await pool.dvr.disconnect('x');
    await until('the end of the second', () => two.receivers() === 0);
    expect(pool.dvr.source('x')).toBeUndefined();
    await pool.dvr.disconnect('x');
  });

  it('E1: connects under rules, anew under others, and is found with them', async () => {
    const root = await testRoot();
    const first = await testPool(root, { recorders: 1 });
    const sender = await startSender();
    const open = { egress: { allow: ['127.0.0.0/8'] } };
    await first.dvr.connect(sender.url, 'x', { egress: { allow: [] } });
    await until('the refusal', () => first.dvr.source('x')?.state === 'ended');
    expect(first.dvr.source('x')?.detail).toMatch(/127\.0\.0\.1 is not a public address/);
    expect(sender.receivers()).toBe(0);
    expect(await failure(first.dvr.connect('file:/etc/passwd', 'x', open))).toMatchObject({ code: 'SOURCE_REFUSED' });
    await first.dvr.startRecording('x', '', BRIEF);
    await first.dvr.connect(sender.url, 'x', open);
    await until('a connection', () => sender.receivers() === 1);
    await sender.write(piece(0, 3));
    await segments(first, 'x', 1);
    await first.dvr.detach();
    const second = await testPool(root, { recorders: 1 });
    expect(second.dvr.source('x')).toMatchObject({ state: 'connected' });
    await second.dvr.connect(sender.url, 'x', { egress: { allow: ['127.0.0.0/8'] } });
    expect(second.dvr.source('x')).toMatchObject({ state: 'connected', connections: 1 });
    await second.dvr.connect(sender.url, 'x', { egress: { allow: [] } });
    await until('the refusal', () => second.dvr.source('x')?.state === 'ended' && sender.receivers() === 0);
  });

  it('R6: keeps the disk free over all recorders, oldest first', async () => {
    const root = await testRoot();
    const sender = await startSender();
    const pool = await testPool(root, { minFreeGb: 0 });
    for (const code of [A, B]) {
      await pool.dvr.startRecording(code, '', BRIEF);
      await pool.dvr.connect(sender.url, code);
    }
    await until('connections', () => sender.receivers() === 2);
    const first = Promise.all([segments(pool, A, 4), segments(pool, B, 4)]);
    await sender.write(piece(0, 6));
    await first;
    await pool.dvr.close();
    const short = await testPool(root, { minFreeGb: 9e6 });
    const events = heard(short.dvr);
    await short.dvr.startRecording(A, '', BRIEF);
    await short.dvr.connect(sender.url, A);
    await until('a connection', () => sender.receivers() === 1);
    const more = segments(short, A, 1);
    await sender.write(piece(20, 22));
    await more;
    // one of a recorder, and one that nobody records
    await until('prunes of both', () => events.includes(`pruned ${A}`) && events.includes(`pruned ${B}`));
    expect(await playlist(root, B)).not.toContain('000000.ts');
  });
});
