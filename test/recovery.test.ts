/** Recovery on open (docs/design/keeping.md, K1 to K4), in real folders with real media: each damage, then a recording that goes on. */
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { playlistOf, temporaryFolder } from './lab.js';
import { damage, filesOf, recordDemo, resume, told, type End, type Resumed } from './recoveryLab.js';
import { tmpdir } from 'node:os';

/** One archive of each kind, recorded once and copied for each test. */
const made = new Map<End, string>();
beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), 'livetape-recovery-'));
  for (const end of ['crash', 'close', 'stop'] as const) {
    await recordDemo(join(root, end), 9.5, end);
    made.set(end, join(root, end));
  }
  return () => rm(root, { recursive: true, force: true });
});

interface Case {
  readonly root: string;
  readonly folder: string;
  readonly playlist: string;
  readonly text: string;
}

async function archive(end: End): Promise<Case> {
  const root = await temporaryFolder();
  await cp(made.get(end) ?? '', root, { recursive: true, preserveTimestamps: true });
  const folder = join(root, 'news');
  return { root, folder, playlist: join(folder, 'playlist.m3u8'), text: (await playlistOf(folder)) ?? '' };
}

const content = ({ violations, playlist }: Resumed): void => expect([...violations, ...playlist]).toEqual([]);

const entriesIn = (text: string): string => text.slice(text.indexOf('#EXT-X-PROGRAM')).replace('#EXT-X-ENDLIST\n', '');

/** Times read from the media agree with those that were recorded, but for the slewing and the cutting to milliseconds. */
function expectSameTimes(now: string, before: string): void {
  const times = (of: string): number[] => [...of.matchAll(/DATE-TIME:(.*)/g)].map(([, time = '']) => Date.parse(time));
  const after = times(now);
  for (const [i, time] of times(before).entries()) expect(Math.abs((after[i] ?? NaN) - time)).toBeLessThanOrEqual(5);
}

describe('what a crash leaves', () => {
  it('K2: the upload that was cut short is entered, without a discontinuity where it goes on', async () => {
    const { root, folder, text } = await archive('crash');
    const part = [...(await filesOf(folder))].find(([name]) => name.endsWith('.part'));
    expect(part![1].length).toBeGreaterThan(1880);
    const resumed = await resume(root, text);
    content(resumed);
    expect(told(resumed.healed)).toEqual(['upload_remains entered']);
    const uri = part![0].replace('.part', '');
    expect(resumed.entered).toContain(uri);
    expect(resumed.text).toContain(entriesIn(text));
    const lines = resumed.text.split('\n');
    const entry = lines.slice(lines.indexOf(uri) - 4, lines.indexOf(uri));
    expect(entry.join('\n')).not.toContain('DISCONTINUITY');
    expect(entry.join('\n')).not.toContain('gap=');
    // and what comes after the crash says what is missing before it
    expect(resumed.text.slice(resumed.text.indexOf(`\n${uri}\n`))).toMatch(/^\n.*\n#EXT-X-DISCONTINUITY\n(.*\n){2}.*why=restart/);
  });

  it('K2: an upload torn within a packet, or ended by the zeros of a power cut, is entered to its last whole packet', async () => {
    for (const tail of [Buffer.from([0x47, 1, 2]), Buffer.alloc(100_000)]) {
      const { root, folder, text } = await archive('crash');
      const name = [...(await filesOf(folder)).keys()].find((file) => file.endsWith('.part'))!;
      await damage(join(folder, name), (bytes) => Buffer.concat([bytes.subarray(0, Math.floor(bytes.length / 188) * 188), tail]));
      const whole = (await readFile(join(folder, name))).length - tail.length;
      // zeros are not media that anybody could read
      const resumed = await resume(root, text, [name]);
      content(resumed);
      expect(told(resumed.healed)).toEqual(['upload_remains entered']);
      expect((await readFile(join(folder, name.replace('.part', '')))).length).toBe(whole);
    }
  });

  it('K2: garbage behind an upload is kept aside, the media before it is entered', async () => {
    const { root, folder, text } = await archive('crash');
    const name = [...(await filesOf(folder)).keys()].find((file) => file.endsWith('.part'))!;
    await damage(join(folder, name), (bytes) =>
      Buffer.concat([bytes.subarray(0, 188 * 100), Buffer.alloc(5000, 7), bytes.subarray(188 * 100)]),
    );
    const resumed = await resume(root, text);
    content(resumed);
    expect(told(resumed.healed)).toEqual(['upload_remains entered']);
  });

  it('K2: an upload in which nothing can be played is set aside, an empty one is removed', async () => {
    for (const [bytes, done] of [
      [Buffer.alloc(4000, 9), 'set_aside'],
      [Buffer.alloc(0), 'removed'],
      [Buffer.alloc(4000), 'set_aside'],
    ] as const) {
      const { root, folder, text } = await archive('close');
      await writeFile(join(folder, '000010.ts.part'), bytes);
      const resumed = await resume(root, text);
      content(resumed);
      expect(told(resumed.healed)).toEqual([`upload_remains ${done}`]);
      expect(resumed.entered).not.toContain('000010.ts');
    }
  });

  it('K2: segments that are durable and not listed are entered, in order, each once', async () => {
    for (const lost of [1, 3]) {
      const { root, playlist, text } = await archive('crash');
      const cut = text.split('\n').slice(0, -1 - 4 * lost);
      await writeFile(playlist, `${cut.join('\n')}\n`);
      const resumed = await resume(root, text);
      expect(resumed.violations).toEqual([]);
      expect(told(resumed.healed).filter((what) => what === 'unlisted_segment entered')).toHaveLength(lost);
      // the same names under the same numbers, at the same times
      expectSameTimes(resumed.text, text);
      expect(resumed.playlist.filter((violation) => !/the tags of .* have changed|entries are gone from its end/.test(violation))).toEqual(
        [],
      );
    }
  });

  it('in its first segment, before there is a playlist: what was received is not lost', async () => {
    const root = await temporaryFolder();
    const folder = await recordDemo(join(root, 'data'), 0.9, 'crash');
    expect([...(await filesOf(folder)).keys()]).toEqual(['000000.ts.part']);
    const resumed = await resume(join(root, 'data'));
    content(resumed);
    expect(told(resumed.healed)).toEqual(['upload_remains entered']);
    expect(resumed.entered[0]).toBe('000000.ts');
    expect(resumed.text).toContain('life=2');
  });

  it('in the first segment after a stop: it is a life of its own', async () => {
    const { root, folder, text } = await archive('stop');
    const crashed = (await archive('crash')).folder;
    const part = [...(await filesOf(crashed)).keys()].find((file) => file.endsWith('.part'))!;
    const uri = text.trimEnd().split('\n').at(-2)!;
    const next = `${String(Number(uri.slice(0, 6)) + 1).padStart(6, '0')}.ts`;
    await cp(join(crashed, part), join(folder, `${next}.part`), { preserveTimestamps: true });
    const resumed = await resume(root, text);
    content(resumed);
    expect(told(resumed.healed)).toEqual(['upload_remains entered']);
    expect(resumed.entered).toContain(next);
    expect(resumed.text).toContain('life=3');
  });

  it('temporary files are removed', async () => {
    const { root, folder, text } = await archive('close');
    for (const name of ['playlist.m3u8.tmp', 'index.json.tmp', 'probe.tmp']) await writeFile(join(folder, name), '');
    const resumed = await resume(root, text);
    content(resumed);
    expect(told(resumed.healed)).toEqual(['leftover_file removed', 'leftover_file removed']);
    expect([...(await filesOf(folder)).keys()].filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('a playlist', () => {
  it('K1: that ends in a torn entry: the next one overwrites it', async () => {
    for (const torn of ['#EXT-X-PROGRAM-DA', '#EXTINF:1.0,\n#livetape n=9', '\0'.repeat(70_000)]) {
      const { root, playlist, text } = await archive('close');
      await writeFile(playlist, text + torn);
      const resumed = await resume(root, text);
      content(resumed);
      expect(told(resumed.healed)).toEqual(['torn_entry cut_off']);
      expect(resumed.text).toContain(entriesIn(text));
    }
  });

  it.each(['missing', 'empty', 'all zeros', 'garbage', 'header only', 'newer'])(
    'K3: that is %s: a new one begins above every number',
    async (how) => {
      for (const index of ['there', 'missing'] as const) {
        const { root, folder, playlist, text } = await archive('close');
        if (how === 'missing') await rm(playlist);
        else if (how === 'newer') await damage(playlist, (bytes) => Buffer.from(bytes.toString().replace('format=1', 'format=2')));
        else if (how === 'header only') await damage(playlist, (bytes) => bytes.subarray(0, bytes.indexOf('#EXT-X-PROGRAM')));
        else
          await damage(playlist, (bytes) =>
            how === 'empty' ? Buffer.alloc(0) : Buffer.alloc(bytes.length, how === 'garbage' ? 'Q\n' : 0),
          );
        if (index === 'missing') await rm(join(folder, 'index.json'));
        const resumed = await resume(root);
        if (how === 'missing' && index === 'missing') {
          // As after a crash in the first segment: so few files are entered at once.
          content(resumed);
          expect(resumed.entered.slice(0, 5)).toEqual(text.match(/^0.*\.ts$/gm));
          continue;
        }
        const first = resumed.entered[0] ?? '';
        const count = text.match(/^0.*\.ts$/gm)!.length;
        expect(Number(first.slice(0, 6))).toBeGreaterThanOrEqual(count);
        expect(Number(/MEDIA-SEQUENCE:(\d+)/.exec(resumed.text)?.[1])).toBeGreaterThanOrEqual(count);
        expect(resumed.playlist).toEqual([]);
        // the segments that were listed wait for a repair
        expect(resumed.violations.filter((violation) => !/ is in the folder and not in the playlist$/.test(violation))).toEqual([]);
        expect(told(resumed.healed)[0]).toBe(
          {
            missing: 'playlist_missing rewritten',
            empty: 'playlist_empty rewritten',
            newer: 'playlist_newer set_aside',
          }[how] ?? 'playlist_unreadable set_aside',
        );
      }
    },
  );

  it.each([
    ['zeros at its end', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -700), Buffer.alloc(700)])],
    ['zeros in its middle', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 900), Buffer.alloc(300), bytes.subarray(1200)])],
    [
      'a line of garbage in its middle',
      (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 1000), Buffer.from('\nQQQ\n'), bytes.subarray(1000)]),
    ],
  ])('K3: with %s: cut there, copied aside, and what follows is entered again', async (_, change) => {
    for (const end of ['close', 'stop'] as const) {
      const { root, playlist, text } = await archive(end);
      await damage(playlist, change);
      const resumed = await resume(root);
      expect(resumed.violations).toEqual([]);
      expect(resumed.playlist).toEqual([]);
      const uris = text.match(/^0.*\.ts$/gm)!;
      expect(resumed.entered.slice(0, uris.length)).toEqual(uris);
      // entries that could be read behind the damage say the same as before
      expectSameTimes(resumed.text, text);
    }
  });

  it(
    'truncated at any byte: recording goes on, and every segment is in the playlist again, or waits for a repair',
    { timeout: 300_000 },
    async () => {
      const { text } = await archive('close');
      const uris = text.match(/^0.*\.ts$/gm)!;
      const header = text.indexOf('#EXT-X-PROGRAM');
      const firstEntry = text.indexOf(`${uris[0]}\n`) + uris[0].length + 1;
      const cuts = [0, 1, 7, 8, header - 30, header - 1, header, firstEntry - 1, firstEntry];
      for (let at = 3; at < text.length; at += 149) cuts.push(at);
      for (const at of cuts) {
        const { root, playlist } = await archive('close');
        await truncate(playlist, at);
        const resumed = await resume(root).catch((cause: unknown) => {
          throw new Error(`truncated at ${at}`, { cause });
        });
        expect(resumed.playlist, `truncated at ${at}`).toEqual([]);
        if (at >= firstEntry) {
          expect(resumed.violations, `truncated at ${at}`).toEqual([]);
          expect(resumed.entered.slice(0, uris.length)).toEqual(uris);
        } else expect(resumed.violations.filter((violation) => !/ is in the folder and not in the playlist$/.test(violation))).toEqual([]);
      }
    },
  );
});

describe('index.json', () => {
  it.each([
    ['missing', undefined, 'index_missing rewritten'],
    ['empty', () => '', 'index_unreadable rewritten'],
    ['garbage', () => '\0\0{', 'index_unreadable set_aside'],
    ['not an object', () => '[1]', 'index_unreadable set_aside'],
    ['newer', (text: string) => text.replace('"format": 1', '"format": 2'), 'index_newer set_aside'],
    [
      'disagreeing in its count',
      (text: string) => text.replace(/"segment_count": \d+/, '"segment_count": 77'),
      'index_disagrees rewritten',
    ],
    [
      'of another time',
      (text: string) => text.replace(/"last_segment_at": "20\d\d/, '"last_segment_at": "2019'),
      'index_disagrees rewritten',
    ],
  ] as const)('K4: %s: it is written anew', async (_, change, expected) => {
    const { root, folder, text } = await archive('close');
    const path = join(folder, 'index.json');
    if (change === undefined) await rm(path);
    else await damage(path, (bytes) => Buffer.from(change(bytes.toString())));
    const resumed = await resume(root, text);
    content(resumed);
    expect(told(resumed.healed)).toEqual([expected]);
  });
});

describe('listed segments', () => {
  it('that are missing or short stay listed, and are told of; recording goes on', async () => {
    const { root, folder, text } = await archive('close');
    const uris = text.match(/^0.*\.ts$/gm)!;
    await rm(join(folder, uris.at(-2)!));
    await truncate(join(folder, uris.at(-1)!), 1000);
    const resumed = await resume(root, text);
    expect(told(resumed.healed)).toEqual(['listed_segment_missing left', 'listed_segment_short left']);
    expect(resumed.entered.slice(0, uris.length)).toEqual(uris);
    expect(resumed.playlist).toEqual([]);
    expect(resumed.violations.filter((violation) => !violation.includes(uris.at(-1)!) && !violation.includes(uris.at(-2)!))).toEqual([]);
    expect(resumed.violations.length).toBeGreaterThan(0);
  });
});
