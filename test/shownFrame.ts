/** Which frame of ffmpeg's test pictures a page shows, by what is seen: whatever the page says of its time. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { output, temporaryFolder } from './lab.js';
import { ask } from './players.js';

const [WIDTH, HEIGHT, RATE] = [320, 180, 25];

/** Mean difference of a byte above which it is another picture: compression makes 7, a tenth of a second 14, a second 22. */
const MOST_OTHER = 12;

/** What the video of a page that stands still shows: red, green, blue and one more byte for each dot. */
async function picture(page: Page): Promise<Buffer> {
  const text = await ask<string>(
    page,
    `(() => {
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [${WIDTH}, ${HEIGHT}];
      const context = canvas.getContext('2d');
      context.drawImage(document.querySelector('video'), 0, 0, ${WIDTH}, ${HEIGHT});
      let bytes = '';
      for (const byte of context.getImageData(0, 0, ${WIDTH}, ${HEIGHT}).data) bytes += String.fromCharCode(byte);
      return btoa(bytes);
    })()`,
  );
  return Buffer.from(text, 'base64');
}

/**
 * The time of `testsrc2` (320 x 180, 25 frames a second) that is seen, in milliseconds.
 * @param nearMs - it is searched for two seconds around this
 */
export async function shownFrameMs(page: Page, nearMs: number): Promise<number> {
  const seen = await picture(page);
  const first = Math.max(0, Math.round((nearMs / 1000 - 2) * RATE));
  const count = 4 * RATE;
  const file = join(await temporaryFolder(), 'frames.rgba');
  const source = `testsrc2=size=${WIDTH}x${HEIGHT}:rate=${RATE}:duration=${(first + count) / RATE}`;
  await output('ffmpeg', [
    ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', source, '-vf', `trim=start_frame=${first},format=yuv420p`],
    ...['-pix_fmt', 'rgba', '-f', 'rawvideo', file],
  ]);
  const frames = await readFile(file);
  const size = WIDTH * HEIGHT * 4;
  let [best, least] = [NaN, Infinity];
  for (let i = 0; (i + 1) * size <= frames.length; i++) {
    let sum = 0;
    for (let at = 0; at < size; at++) sum += Math.abs((seen[at] ?? 0) - (frames[i * size + at] ?? 0));
    if (sum < least) [best, least] = [first + i, sum];
  }
  const differs = least / size;
  if (!(differs < MOST_OTHER)) throw new Error(`no frame near ${nearMs} ms is what is seen: the nearest differs by ${differs.toFixed(1)}`);
  return (best * 1000) / RATE;
}
