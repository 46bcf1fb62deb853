/**
 * The page before those who mean harm (docs/design/page.md, G1 and G3): what comes from outside is text, whatever it says; a fragment that means nothing is the wall; and
 * what is not of the page does not run in it.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { PROJECT, temporaryFolder, whenOver } from './lab.js';
import { closeBrowser, openPage, seen } from './pageLab.js';
import { ask } from './players.js';
import { recordPast } from './recordedPast.js';
import { startServer } from './serveLab.js';

afterAll(closeBrowser);

/** Markup that would say so if it were taken as such. */
const STRIKE = `"><img src=x onerror="window.struck=1"><svg/onload=window.struck=2></title><script>window.struck=3</script>`;
/** A link and a style, too. */
const SOURCE = `http://127.0.0.1:9/${encodeURIComponent(STRIKE)}?javascript:window.struck=4`;

it('G1, G3: what is said from outside is text, and nothing runs that is not of the page', { timeout: 120_000 }, async () => {
  const root = await temporaryFolder();
  const startMs = await recordPast({ root, code: 'news', parts: [{ kind: 'media', seconds: 20 }] });
  const yaml = `recorders: 1\nstreams:\n  news: { title: ${JSON.stringify(STRIKE)}, source: ${JSON.stringify(`file:${join(PROJECT, 'assets/none.ts')}`)} }\n  lost: { source: ${JSON.stringify(SOURCE)}, title: "javascript:window.struck=5" }\n`;
  const server = await startServer({ root, yaml });
  const hook = { url: `http://127.0.0.1:9/${encodeURIComponent(STRIKE)}`, events: ['recording.failed'] };
  const put = await server.get('/api/v1/hooks/mine', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(hook),
  });
  expect(put.status).toBeLessThan(300);

  const { page, wrong, elsewhere } = await openPage(`${server.url}/#/`);
  await seen(page.getByRole('link', { name: STRIKE }));
  await page.getByRole('link', { name: STRIKE }).click();
  await seen(page.getByRole('heading', { name: STRIKE }));
  await ask(page, `location.hash = '#/system'`);
  await seen(page.getByText('%3Cimg').first());

  // Fragments: none of them throws, and what names no view is the wall.
  const far = encodeURIComponent('+275760-09-13T00:00:00.000Z');
  for (const fragment of [`s/news?at=-271821-04-20T00:00:00.000Z&in=${far}&out=${far}`, `s/news?at=${far}&zoom=1e308`]) {
    await ask(page, `location.hash = '#/${fragment}'`);
    await seen(page.getByRole('slider', { name: 'Position' }));
  }
  const window = `in=${new Date(startMs).toISOString()}&out=${new Date(startMs + 5000).toISOString()}`;
  for (const fragment of ['s/<img src=x onerror=window.struck=6>', 's/..%2f..%2fapi', `w/news?token=..%2F..%2Fapi&${window}`, '%00']) {
    await ask(page, `location.hash = ${JSON.stringify(`#/${fragment}`)}`);
    await seen(page.getByRole('link', { name: STRIKE }));
  }
  expect(await ask(page, 'window.struck ?? null')).toBeNull();
  expect(wrong).toEqual([]);
  expect(elsewhere).toEqual([]);

  // Another host that would answer whoever asks.
  let told = 0;
  const other = createServer((_request, response) => {
    told += 1;
    response.writeHead(200, { 'access-control-allow-origin': '*' }).end();
  }).listen(0, '127.0.0.1');
  whenOver(() => void other.close());
  await once(other, 'listening');
  const there = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;

  // Who could write into the page could still not run anything, nor tell anybody.
  await ask(
    page,
    `(() => {
      for (const [name, more] of [['script', { textContent: 'window.struck = 7' }], ['script', { src: 'data:text/javascript,window.struck=8' }], ['iframe', { srcdoc: '<script>parent.struck = 9</script>' }], ['img', { src: '${there}' }]])
        document.body.append(Object.assign(document.createElement(name), more));
      document.body.insertAdjacentHTML('beforeend', '<button id="inline" onclick="window.struck = 10">inline</button>');
      document.getElementById('inline').click();
    })()`,
  );
  expect(await ask(page, `fetch('${there}').then(() => 'told', () => 'kept')`)).toBe('kept');
  expect(await ask(page, 'window.struck ?? null')).toBeNull();
  expect(wrong.length).toBeGreaterThanOrEqual(5);
  expect(wrong.filter((text) => !/Content Security Policy|violates/.test(text))).toEqual([]);
  expect(told).toBe(0);
});
