/** `-`: the end, a failure and waiting for room. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { silentLogger, systemClock } from '../../base/index.js';
import { openSource } from '../registry.js';
import type { Source } from '../source.js';
import { ProbeSink, SAMPLE, until } from '../testing/probes.js';

function start(stdin: PassThrough & { isTTY?: boolean }): { source: Source; sink: ProbeSink } {
  const source = openSource('-', { clock: systemClock, log: silentLogger, stdin });
  const sink = new ProbeSink();
  source.start(sink);
  return { source, sink };
}

describe('stdin', () => {
  it('ends with its input, after all of it, once', async () => {
    const stdin = new PassThrough();
    const { source, sink } = start(stdin);
    stdin.end(SAMPLE.slice());
    expect(await sink.heard('ended')).toEqual({ kind: 'ended', text: 'end of input', error: undefined });
    expect(sink.bytes.equals(SAMPLE)).toBe(true);
    await source.close();
    expect(sink.kinds).toEqual(['connected', 'ended']);
  });

  it('says that it failed, and when it is taken away', async () => {
    const stdin = new PassThrough();
    const broken = start(stdin);
    stdin.destroy(new Error('EIO'));
    expect(await broken.sink.heard('ended')).toMatchObject({ text: 'standard input: EIO', error: { code: 'SOURCE_FAILED' } });
    const gone = new PassThrough();
    const taken = start(gone);
    gone.destroy();
    expect(await taken.sink.heard('ended')).toMatchObject({ error: { code: 'SOURCE_FAILED' } });
    expect(start(gone).sink.kinds).toEqual(['ended']);
  });

  it('does not read from a terminal', () => {
    const { sink } = start(Object.assign(new PassThrough(), { isTTY: true }));
    expect(sink.events[0]?.text).toMatch(/is a terminal/);
  });

  it('waits for room', async () => {
    const stdin = new PassThrough();
    const { source, sink } = start(stdin);
    let goOn = (): void => undefined;
    sink.wait = new Promise((resolve) => (goOn = resolve));
    stdin.write(SAMPLE.slice(0, 188));
    await sink.received(188);
    stdin.write(SAMPLE.slice(188, 376));
    expect(stdin.isPaused()).toBe(true);
    expect(sink.byteCount).toBe(188);
    sink.wait = undefined;
    goOn();
    await sink.received(376);
    await source.close();
    await until(() => stdin.destroyed);
  });
});
