/**
 * `npm run campaign:damage -- [ROUNDS] [SEED]`: random damages (truncate, flip, delete, swap, rename; to media, the playlist, index.json) to an archive of
 * 500 segments that the library recorded. Each is done alone first, when `check` has to name it, and then in groups of ten. After each, `--repair` has to
 * leave nothing to find, no packet may be gone from the folder, a second repair has to do nothing, and ffmpeg plays the result to its end.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createLivetape, type Finding, type Livetape } from '../../src/index.js';
import { copyArchive, damage, missingPackets, packetsIn, Random, recordLoop, type Damage } from './damageLab.js';

/** Segments are of 2 s, as far apart as the demo's keyframes. */
const SEGMENTS = 500;
const GROUP = 10;
const CODE = 'news';
const DEMO = fileURLToPath(new URL('../../assets/demo.ts', import.meta.url));

/** What came of it. */
export interface Counts {
  damages: number;
  named: number;
  /** What a flip left saying the same, so that there is nothing to name. */
  harmless: number;
  repairs: number;
  segmentsBefore: number;
  segmentsAfter: number;
  failures: string[];
}

/** Damages `rounds` times alone and as often in groups. */
export async function campaign(
  folder: string,
  rounds: number,
  seed: number,
  segments: number,
  tell: (line: string) => void,
): Promise<Counts> {
  const base = await recordLoop(join(folder, 'base'), CODE, DEMO, segments, 2);
  const counts: Counts = { damages: 0, named: 0, harmless: 0, repairs: 0, segmentsBefore: 0, segmentsAfter: 0, failures: [] };
  await using livetape = await createLivetape({ root: join(folder, 'work') });
  const work = join(folder, 'work', CODE);
  for (let round = 0; round < rounds; round++) {
    await one({ base, work, livetape, random: new Random(seed + round), count: 1, counts, name: `${seed + round} alone` });
    if ((round + 1) % 50 === 0) tell(`${round + 1} of ${rounds} alone: ${JSON.stringify({ ...counts, failures: counts.failures.length })}`);
  }
  for (let round = 0; round < rounds / GROUP; round++) {
    await one({
      base,
      work,
      livetape,
      random: new Random(seed + rounds + round),
      count: GROUP,
      counts,
      name: `${seed + rounds + round} in a group`,
    });
  }
  return counts;
}

interface Round {
  readonly base: string;
  readonly work: string;
  readonly livetape: Livetape;
  readonly random: Random;
  readonly count: number;
  readonly counts: Counts;
  readonly name: string;
}

async function one({ base, work, livetape, random, count, counts, name }: Round): Promise<void> {
  await copyArchive(base, work);
  const taken = new Set<string>();
  const damages: Damage[] = [];
  for (let i = 0; i < count; i++) damages.push(await damage(work, random, taken));
  const fail = (what: string): void => void counts.failures.push(`${name}: ${what}; ${JSON.stringify(damages)}`);
  const before = await packetsIn(work);
  const findings: Finding[] = [];
  await livetape.check(CODE, { onFinding: (found) => findings.push(found) });
  counts.damages += damages.length;
  // Where entries are gone nothing can say what their files were; what is done to index.json shows when the playlist can be read.
  const judged = count === 1 || !taken.has('playlist.m3u8');
  for (const each of damages) {
    if (isNamed(each, findings)) counts.named += 1;
    else if (isHarmless(each, base, work)) counts.harmless += 1;
    else if (judged) fail(`not named: ${each.kind} ${each.files.join(' ')}`);
  }
  await livetape.repair(CODE);
  counts.repairs += 1;
  const left: Finding[] = [];
  const report = await livetape.check(CODE, { onFinding: (found) => left.push(found) });
  counts.segmentsBefore += listed(join(base, 'playlist.m3u8'));
  counts.segmentsAfter += report.segments;
  if (report.damages > 0) fail(`left: ${JSON.stringify(left)}`);
  const gone = missingPackets(before, await packetsIn(work));
  if (gone > 0) fail(`${gone} packets are gone`);
  if ((await livetape.repair(CODE)).actions > 0) fail('the second repair did something');
  await promisify(execFile)('ffmpeg', [
    '-nostdin',
    '-v',
    'fatal',
    '-i',
    join(work, 'playlist.m3u8'),
    '-c',
    'copy',
    '-f',
    'null',
    '-',
  ]).catch((error: unknown) => fail(`ffmpeg: ${String(error)}`));
}

/** Whether a finding is about each file that was damaged, or about the entry that was. */
function isNamed({ files }: Damage, findings: readonly Finding[]): boolean {
  return files.every((file) =>
    findings.some(
      (found) => found.severity === 'damage' && (found.file === file || (file === 'playlist.m3u8' && found.line !== undefined)),
    ),
  );
}

/** A bit of the playlist or of index.json in a place that says nothing that could be wrong: what is said is the same, or as good. */
function isHarmless({ kind, files }: Damage, base: string, work: string): boolean {
  const [file = ''] = files;
  if (kind !== 'flip' || file.endsWith('.ts')) return false;
  const [was, is] = [readFileSync(join(base, file), 'latin1'), readFileSync(join(work, file), 'latin1')].map((text) => text.split('\n'));
  const line = (was ?? []).findIndex((text, at) => text !== is?.[at]);
  const text = is?.[line] ?? '';
  // a longer target, another life, another stream code, unknown members: nothing else says what they were
  return (
    /^#EXT-X-TARGETDURATION:[3-9]$|^#EXT-X-VERSION:[3-7]$|^#livetape format=1 life=\d$|epoch=\d$|stream_code|next_index|"format"|^[\s,{}[\]]*$/.test(
      text,
    ) || /stream_code|next_index|"format"/.test(was?.[line] ?? '')
  );
}

function listed(playlist: string): number {
  return readFileSync(playlist, 'utf8').match(/^\d+\.ts$/gm)?.length ?? 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [rounds = 300, seed = 1] = process.argv.slice(2).map(Number);
  const folder = await mkdtemp(join(tmpdir(), 'livetape-damage-'));
  try {
    const counts = await campaign(folder, rounds, seed, SEGMENTS, (line) => console.log(line));
    for (const failure of counts.failures) console.log(`FAILED ${failure}`);
    console.log(JSON.stringify({ ...counts, failures: counts.failures.length }));
    process.exitCode = counts.failures.length > 0 ? 1 : 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
