import { describe, expect, test } from 'vitest';
import { LoadQueue, MAX_LINE_LOADS, MAX_LOADS, type Priority } from './queue';

/** Loads that end when they are told to. */
function loads() {
  const queue = new LoadQueue();
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const add = (name: string, priority: Priority) =>
    queue.add(() => {
      begun.push(name);
      return new Promise<void>((end) => ends.set(name, end));
    }, priority);
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await new Promise((turn) => setImmediate(turn));
  };
  return { queue, begun, add, end };
}

describe('which load is next (G8)', () => {
  test('no more than four run, the newest wish is next', async () => {
    const { queue, begun, add, end } = loads();
    for (let i = 0; i < 8; i++) add(`tile ${i}`, 1);
    expect(begun).toEqual(['tile 0', 'tile 1', 'tile 2', 'tile 3']);
    expect(queue.running).toBe(MAX_LOADS);
    await end('tile 2');
    expect(begun.slice(4)).toEqual(['tile 7']);
    expect(queue.running).toBe(MAX_LOADS);
    expect(queue.waiting).toBe(3);
  });

  test('the higher priority is first, however old', async () => {
    const { begun, add, end } = loads();
    for (let i = 0; i < 4; i++) add(`tile ${i}`, 1);
    add('pointer', 2);
    add('line', 0);
    add('tile 4', 1);
    await end('tile 0');
    await end('tile 1');
    await end('tile 2');
    expect(begun.slice(4)).toEqual(['pointer', 'tile 4', 'line']);
  });

  test('the line has two of them at most, and what it waits for keeps nobody else', async () => {
    const { queue, begun, add, end } = loads();
    for (let i = 0; i < 5; i++) add(`line ${i}`, 0);
    expect(queue.running).toBe(MAX_LINE_LOADS);
    add('tile', 1);
    add('pointer', 2);
    expect(begun).toEqual(['line 0', 'line 1', 'tile', 'pointer']);
    await end('tile');
    expect(begun).toHaveLength(4);
    await end('line 0');
    expect(begun.at(-1)).toBe('line 4');
  });

  test('what is wished for again counts as just wished, with the higher priority', async () => {
    const { begun, add, queue, end } = loads();
    for (let i = 0; i < 4; i++) add(`tile ${i}`, 1);
    const old = add('old', 0);
    const older = add('tile 4', 1);
    add('tile 5', 1);
    queue.again(older, 0);
    await end('tile 0');
    queue.again(old, 2);
    await end('tile 1');
    expect(begun.slice(4)).toEqual(['tile 4', 'old']);
  });

  test('what is forgotten does not begin; what runs is not begun twice', async () => {
    const { begun, add, queue, end } = loads();
    const first = add('tile 0', 1);
    for (let i = 1; i < 5; i++) add(`tile ${i}`, 1);
    queue.forget(add('gone', 2));
    queue.again(first, 2);
    await end('tile 1');
    await end('tile 2');
    expect(begun).toEqual(['tile 0', 'tile 1', 'tile 2', 'tile 3', 'tile 4']);
  });
});
