/** Frames and values on a recorder's socket: what goes in comes out, however it is cut, and what is none is refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, LivetapeError } from '../../base/index.js';
import { FrameReader, MAX_FRAME_BYTES, frameOf } from './frames.js';
import { decodeValue, encodeValue } from './values.js';

const frames = fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 300 })), { maxLength: 12 });

/** The frames in bytes that come in pieces of these lengths, over and over. */
function read(bytes: Uint8Array, lengths: readonly number[]): [number, Uint8Array][] {
  const found: [number, Uint8Array][] = [];
  const reader = new FrameReader((kind, payload) => found.push([kind, Uint8Array.from(payload)]));
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] ?? bytes.length;
    reader.push(bytes.subarray(at, at + length));
    at += length;
  }
  return found;
}

describe('frames', () => {
  it('come out as they went in, however they are cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 }), (given, lengths) => {
        const bytes = Buffer.concat(given.map(([kind, payload]) => frameOf(kind, payload)));
        expect(read(bytes, lengths)).toEqual(given.map(([kind, payload]) => [kind, payload]));
      }),
    );
  });

  it('that are none, or too long, are refused before memory is taken for them', () => {
    for (const length of [0, MAX_FRAME_BYTES + 2, 0xffff_ffff]) {
      const head = Buffer.alloc(5);
      head.writeUInt32BE(length);
      expect(() => read(head, [])).toThrow(/a frame of -?\d+ bytes/);
    }
  });

  it('any bytes are frames or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          for (const [, payload] of read(bytes, [7])) expect(payload.length).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVARIANT_BROKEN' });
        }
      }),
    );
  });
});

describe('values', () => {
  const leaf = fc.oneof(fc.string(), fc.double(), fc.integer(), fc.boolean(), fc.constant(null), fc.date({ noInvalidDate: false }));
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('any'), { maxLength: 5 }),
      fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$', 'value', '__proto__', 'constructor')), tie('any'), {
        maxKeys: 5,
        noNullPrototype: true,
      }),
    ),
  })).any;

  it('come out as they went in: dates, numbers of every kind, names of every kind', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(decodeValue(encodeValue(given))).toEqual(given);
      }),
    );
  });

  it('errors keep their code, context and cause', () => {
    const cause = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    for (const code of ERROR_CODES) {
      const error = new LivetapeError(code, `what is wrong: ${code}`, { cause, context: { path: '/x', line: 3, last: undefined } });
      const back = decodeValue(encodeValue({ error })) as { error: LivetapeError };
      expect(back.error).toBeInstanceOf(LivetapeError);
      expect(back.error).toMatchObject({
        code,
        message: error.message,
        context: { path: '/x', line: 3 },
        cause: { code: 'ENOSPC', message: 'no space' },
      });
      expect(back.error.cause).toBeInstanceOf(Error);
    }
    const other = decodeValue(encodeValue(new TypeError('odd')));
    expect(other).toBeInstanceOf(Error);
    expect(other).toMatchObject({ name: 'TypeError', message: 'odd' });
    // a code of another version is no code of ours
    const text = Buffer.from(encodeValue(new LivetapeError('CLOSED', 'x')))
      .toString()
      .replace('CLOSED', 'OF_LATER');
    expect(decodeValue(Buffer.from(text))).not.toBeInstanceOf(LivetapeError);
  });

  it('a cause without end is told of as far as a person reads', () => {
    const error = new Error('round');
    error.cause = error;
    let depth = 0;
    for (let at: unknown = decodeValue(encodeValue(error)); at instanceof Error; at = at.cause) depth += 1;
    expect(depth).toBe(5);
  });

  it('what is undefined is left out of an object, and stays in its place in a list', () => {
    expect(decodeValue(encodeValue({ a: undefined, b: [undefined, 1] }))).toStrictEqual({ b: [undefined, 1] });
    expect(decodeValue(encodeValue(undefined))).toBeUndefined();
  });

  it('any bytes are a value or refused', () => {
    const texts = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.json({ maxDepth: 2 }).map((text) => Buffer.from(`{"$":"error","value":${text},"context":${text}}`)),
    );
    fc.assert(
      fc.property(texts, (bytes) => {
        try {
          decodeValue(bytes);
        } catch (error) {
          expect(error instanceof SyntaxError || error instanceof TypeError).toBe(true);
        }
      }),
    );
  });
});
