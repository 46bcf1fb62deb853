import { expect, it } from 'vitest';
import { inTurn } from './inTurn.js';

it('no more than two pieces are made at once, whoever is slow; all come whole, and bodies that fail or are left make room', async () => {
  let [making, most, open] = [0, 0, 0];
  async function* body(pieces: number, failsAt = -1): AsyncGenerator<number> {
    open += 1;
    try {
      for (let n = 0; n < pieces; n++) {
        making += 1;
        most = Math.max(most, making);
        await new Promise((resolve) => setImmediate(resolve));
        making -= 1;
        if (n === failsAt) throw new Error('broken');
        yield n;
      }
    } finally {
      open -= 1;
    }
  }
  const all = async (from: AsyncIterable<number>): Promise<number[]> => {
    const got: number[] = [];
    for await (const piece of from) got.push(piece);
    return got;
  };
  // one stands still with a piece in its hand, one is left, one fails
  const still = inTurn(body(5));
  await still.next();
  const left = inTurn(body(5));
  await left.next();
  await left.return(undefined);
  await expect(all(inTurn(body(5, 2)))).rejects.toThrow('broken');
  const got = await Promise.all(Array.from({ length: 50 }, () => all(inTurn(body(20)))));
  for (const pieces of got) expect(pieces).toEqual(Array.from({ length: 20 }, (_, n) => n));
  expect(most).toBe(2);
  expect(await all(still)).toEqual([1, 2, 3, 4]);
  expect(open).toBe(0);
});
