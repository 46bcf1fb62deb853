import { describe, expect, it } from 'vitest';
import { ManualClock, silentLogger } from '../base/index.js';
import { PACKET_SIZE } from '../mpegts/index.js';
import { LiveRelays } from './liveRelay.js';
import { MAX_BEHIND_BYTES, type LiveViewer } from './liveViewer.js';
import { FakeRecorders } from './testViewers.js';

function lab() {
  const clock = new ManualClock();
  const recorders = new FakeRecorders();
  const relays = new LiveRelays({ pool: recorders.pool(), clock, log: silentLogger });
  return { clock, recorders, relays };
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** What a viewer gets until so many bytes are there. */
async function take(viewer: LiveViewer, length: number): Promise<string> {
  let text = '';
  while (text.length < length) {
    const next = await viewer.next();
    if (next.done) return `${text}.`;
    text += Buffer.from(next.value).toString();
  }
  return text;
}

/** Lets promises that are settled go on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('stream.ts', () => {
  it('R7: the recorder is asked once, however many watch; who comes gets the current segment from its keyframe on', async () => {
    const { recorders, relays } = lab();
    const first = await relays.watch('news');
    recorders.sink.segment(true);
    recorders.sink.data(bytes('one '));
    recorders.sink.segment(true);
    recorders.sink.data(bytes('two '));
    const second = await relays.watch('news');
    recorders.sink.data(bytes('more'));
    expect(await take(first, 12)).toBe('one two more');
    expect(await take(second, 8)).toBe('two more');
    expect([recorders.asked, recorders.open, relays.counts().get('news')]).toEqual([1, 1, 2]);
  });

  it('what a sink was given is valid during the call only: viewers get a copy', async () => {
    const { recorders, relays } = lab();
    const viewer = await relays.watch('news');
    const chunk = bytes('good');
    recorders.sink.segment(true);
    recorders.sink.data(chunk);
    chunk.fill(0);
    expect(await take(viewer, 4)).toBe('good');
  });

  it('a segment without a keyframe is for those who watch already; whoever waits for one too long goes on without', async () => {
    const { recorders, relays } = lab();
    const first = await relays.watch('news');
    recorders.sink.segment(true);
    recorders.sink.data(bytes('a'));
    recorders.sink.segment(false);
    recorders.sink.data(bytes('b'));
    const second = await relays.watch('news');
    for (const text of ['c', 'd', 'e']) {
      recorders.sink.segment(false);
      recorders.sink.data(bytes(text));
    }
    expect(await take(first, 5)).toBe('abcde');
    expect(await take(second, 1)).toBe('e');
  });

  it('is given up when nobody watches, and asked anew for the next', async () => {
    const { recorders, relays } = lab();
    const [first, second] = [await relays.watch('news'), await relays.watch('news')];
    await first.return();
    expect(recorders.open).toBe(1);
    await second.return();
    await settle();
    expect([recorders.open, relays.counts().size]).toEqual([0, 0]);
    await relays.watch('news');
    expect([recorders.open, recorders.asked]).toEqual([1, 2]);
  });

  it('H6: a viewer that is more than 8 MiB behind goes on at the next segment; the others do not notice', async () => {
    const { recorders, relays } = lab();
    const slow = await relays.watch('news');
    const quick = await relays.watch('news');
    const chunk = new Uint8Array(1024 * 1024).fill(0x61);
    recorders.sink.segment(true);
    let taken = 0;
    for (let sent = 0; sent <= MAX_BEHIND_BYTES; sent += chunk.length) {
      recorders.sink.data(chunk);
      for (; taken < sent + chunk.length; taken += (await quick.next()).value?.length ?? 0);
    }
    expect([slow.skips, quick.skips]).toEqual([1, 0]);
    recorders.sink.data(bytes('lost'));
    recorders.sink.segment(true);
    recorders.sink.data(bytes('next'));
    expect(await take(slow, 4)).toBe('next');
    expect(await take(quick, 8)).toBe('lostnext');
  });

  it('a viewer who fell behind in the middle of a chunk was given whole packets, so that the next segment begins where a packet does', async () => {
    const { recorders, relays } = lab();
    const viewer = await relays.watch('news');
    const chunk = new Uint8Array(1000 * PACKET_SIZE);
    recorders.sink.segment(true);
    recorders.sink.data(chunk);
    let taken = (await viewer.next()).value?.length ?? 0;
    while (viewer.skips === 0) recorders.sink.data(chunk);
    recorders.sink.segment(true);
    recorders.sink.data(bytes('next'));
    const next = await viewer.next();
    expect(taken % PACKET_SIZE).toBe(0);
    expect(Buffer.from(next.value ?? []).toString()).toBe('next');
    recorders.sink.data(chunk);
    for (taken = 0; taken < chunk.length; taken += (await viewer.next()).value?.length ?? 0) expect(taken % PACKET_SIZE).toBe(0);
  });

  it('what a newcomer is given at once does not count as behind', async () => {
    const { recorders, relays } = lab();
    await relays.watch('news');
    const chunk = new Uint8Array(4 * 1024 * 1024);
    recorders.sink.segment(true);
    for (let count = 0; count < 3; count++) recorders.sink.data(chunk);
    const viewer = await relays.watch('news');
    recorders.sink.data(chunk);
    expect(viewer.skips).toBe(0);
    for (let taken = 0; taken < 4 * chunk.length; taken += (await viewer.next()).value?.length ?? 0);
    // now that it has taken it, it does
    for (let count = 0; count < 3; count++) recorders.sink.data(chunk);
    expect(viewer.skips).toBe(1);
  });

  it('R3: viewers stay when the recorder is replaced, and go on when it is back', async () => {
    const { clock, recorders, relays } = lab();
    const viewer = await relays.watch('news');
    const before = recorders.sink;
    before.segment(true);
    before.data(bytes('a'));
    before.ended('the recorder is gone');
    const late = await relays.watch('news');
    expect([recorders.asked, relays.counts().get('news')]).toEqual([1, 2]);
    clock.advance(250);
    await settle();
    expect(recorders.asked).toBe(2);
    before.data(bytes('what one that is gone says is not heard'));
    recorders.sink.segment(true);
    recorders.sink.data(bytes('b'));
    expect([await take(viewer, 2), await take(late, 1)]).toEqual(['ab', 'b']);
  });

  it('viewers are ended when the recording is stopped, after what is due to them', async () => {
    const { recorders, relays } = lab();
    const viewer = await relays.watch('news');
    recorders.sink.segment(true);
    recorders.sink.data(bytes('last'));
    recorders.recording.delete('news');
    recorders.sink.ended('stopped');
    expect(await take(viewer, 100)).toBe('last.');
    await settle();
    expect(relays.counts().size).toBe(0);
    await expect(relays.watch('news')).rejects.toMatchObject({ code: 'NOT_RECORDING' });
    expect(relays.counts().size).toBe(0);
  });

  it('a stop that is told after the end is noticed when the recorder is asked again', async () => {
    const { clock, recorders, relays } = lab();
    const viewer = await relays.watch('news');
    recorders.sink.ended('stopped');
    recorders.recording.delete('news');
    clock.advance(250);
    expect(await take(viewer, 1)).toBe('.');
  });

  it('closing ends everyone', async () => {
    const { recorders, relays } = lab();
    const viewer = await relays.watch('news');
    const taken = take(viewer, 1);
    await relays.close();
    expect([await taken, recorders.open]).toEqual(['.', 0]);
    await expect(relays.watch('news')).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
