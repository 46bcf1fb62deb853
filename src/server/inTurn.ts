/**
 * Long bodies that take turns in being made: each piece of one is some milliseconds of work, and a hundred of them side by side would have every other answer wait for a hundred pieces at
 * each of its steps. Who waits for a client waits outside.
 */

/** Pieces that are made at once: while one waits for the disk, another is at work. */
const AT_ONCE = 2;
let busy = 0;
const waiting: (() => void)[] = [];

/** The body, whose pieces are made when it is their turn. */
export async function* inTurn<T>(body: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await made(iterator);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}

async function made<T>(iterator: AsyncIterator<T>): Promise<IteratorResult<T>> {
  if (busy < AT_ONCE) busy += 1;
  // whoever is over hands his turn on
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    return await iterator.next();
  } finally {
    const next = waiting.shift();
    if (next === undefined) busy -= 1;
    // what came meanwhile goes first
    else setImmediate(next);
  }
}
