/**
 * The contract of all sources (ingest/source.ts), as a suite. A protocol brings an origin that serves given bytes; here is what any of them must do with it:
 * deliver them as they are, say what happens, close at once in whatever it is doing, and leave nothing behind.
 */
import type { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger, systemClock } from '../base/index.js';
import { openSource } from './registry.js';
import type { Source } from './source.js';
import { CountingClock, ProbeSink, SAMPLE, until } from './testing/probes.js';

/** The other end of a source. */
export interface Origin {
  readonly url: string;
  /** For `-`. */
  readonly stdin?: Readable;
  /** Sends the bytes to `source`, which was started, unless the origin does so by itself. */
  send?(source: Source): Promise<void>;
  /** Connections of the source that are open, as the origin sees them. */
  connections?(): number;
  close(): Promise<void>;
}

/** Kinds of handles that a source may hold; vitest has some of its own, so they are compared with those before. */
const HANDLES = new Set([
  'TCPSocketWrap',
  'TCPConnectWrap',
  'UDPWRAP',
  'TLSWrap',
  'PipeWrap',
  'FSReqPromise',
  'FSReqCallback',
  'GetAddrInfoReqWrap',
]);
const handles = (): string =>
  process
    .getActiveResourcesInfo()
    .filter((kind) => HANDLES.has(kind))
    .sort()
    .join();

/**
 * @param name - of the protocol
 * @param serve - makes an origin that serves `bytes`, once, to whoever comes first
 */
export function sourceContract(name: string, serve: (bytes: Uint8Array) => Promise<Origin>): void {
  describe(`${name}: the contract of sources`, () => {
    let cleanups: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const cleanup of cleanups.reverse()) await cleanup();
      cleanups = [];
    });

    async function setup(
      bytes = SAMPLE,
    ): Promise<{ source: Source; sink: ProbeSink; origin: Origin; clock: CountingClock; before: string }> {
      const origin = await serve(bytes);
      cleanups.push(() => origin.close());
      const before = handles();
      const clock = new CountingClock(systemClock);
      const source = openSource(origin.url, { clock, log: silentLogger, ...(origin.stdin && { stdin: origin.stdin }) });
      cleanups.push(() => source.close());
      return { source, sink: new ProbeSink(), origin, clock, before };
    }

    /** After close: no timer, no handle, no connection, and not a word more. */
    async function expectNothingLeft(
      { sink, origin, clock, before }: Awaited<ReturnType<typeof setup>>,
      heard: number,
      bytes: number,
    ): Promise<void> {
      expect(clock.timers).toBe(0);
      await until(
        () => (origin.connections?.() ?? 0) === 0,
        () => 'the origin still sees a connection',
      );
      // an origin that served a connection may hold its own handles a moment longer, never the source
      await until(
        () => handles().length <= before.length,
        () => `handles before: ${before}; now: ${handles()}`,
      );
      expect(sink.events.length).toBe(heard);
      expect(sink.byteCount).toBe(bytes);
    }

    it('delivers the bytes as they are, after saying that it is connected, and counts them', async () => {
      const { source, sink, origin } = await setup();
      sink.onData = () => expect(sink.kinds).toEqual(['connected']);
      source.start(sink);
      await origin.send?.(source);
      await sink.received(SAMPLE.length);
      expect(sink.bytes.equals(SAMPLE)).toBe(true);
      expect(source.stats).toMatchObject({ receivedBytes: SAMPLE.length, connections: 1, rtpLostPackets: 0 });
    });

    it('is closed before it starts, and then does not start', async () => {
      const all = await setup();
      await all.source.close();
      all.source.start(all.sink);
      await expectNothingLeft(all, 0, 0);
    });

    it('closes while it connects, and delivers nothing', async () => {
      const all = await setup();
      all.source.start(all.sink);
      const first = all.source.close();
      await Promise.all([first, all.source.close()]);
      await expectNothingLeft(all, 0, 0);
    });

    it('closes from within a call of the sink: nothing is delivered after', async () => {
      const all = await setup();
      let closing: Promise<void> | undefined;
      let atClose = 0;
      all.sink.onData = () => {
        closing ??= all.source.close();
        atClose ||= all.sink.byteCount;
      };
      all.source.start(all.sink);
      await all.origin.send?.(all.source);
      await until(() => closing !== undefined);
      await closing;
      await expectNothingLeft(all, 1, atClose);
    });

    it('closes while the sink has no room', async () => {
      const all = await setup();
      all.sink.wait = new Promise(() => undefined);
      all.source.start(all.sink);
      await all.origin.send?.(all.source);
      await until(() => all.sink.byteCount > 0);
      await all.source.close();
      await expectNothingLeft(all, all.sink.events.length, all.sink.byteCount);
      expect(all.sink.kinds.filter((kind) => kind === 'ended').length).toBeLessThanOrEqual(1);
    });

    it('closes after it has delivered, with one answer however often it is asked', async () => {
      const all = await setup();
      all.source.start(all.sink);
      await all.origin.send?.(all.source);
      await all.sink.received(SAMPLE.length);
      await all.source.close();
      const heard = all.sink.events.length;
      await all.source.close();
      await all.source[Symbol.asyncDispose]();
      await expectNothingLeft(all, heard, SAMPLE.length);
    });

    it('is started once', async () => {
      const { source, sink } = await setup();
      source.start(sink);
      expect(() => source.start(sink)).toThrowError(expect.objectContaining({ code: 'INVARIANT_BROKEN' }));
    });
  });
}
