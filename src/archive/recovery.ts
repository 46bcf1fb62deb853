/**
 * Enters what a recorder that died has left behind: segments that are durable and not listed, and uploads that were cut
 * short, with the numbers that follow the last entry's (K2). Their facts are read from the media.
 */
import { invariant, isLivetapeError } from '../base/index.js';
import { renderEntry, type PlaylistEntry, type PlaylistHeader } from '../hls/index.js';
import { ptsDelta, PTS_MODULUS } from '../model/index.js';
import { PART_SUFFIX, copyAside, setAside, type FileFacts, type StreamStorage } from '../storage/index.js';
import type { CommittedSegment, SegmentFacts } from './contract.js';
import { checkFollows, endMs, entryOf, segmentOf, type Placing } from './entry.js';
import type { Healed } from './healed.js';
import type { Journal } from './journal.js';
import { SegmentProbe, type Probe } from './probe.js';
import type { Patient } from './recoveryJournal.js';
import { FREE_IN_A_ROW, segmentName } from './survey.js';

/** Given to recovery on open at most; what remains is left to a repair. */
const MAX_FILES = 1000;
const MAX_MS = 10_000;
/** Media that begins this close to where the last ended goes on from it: a few frames, since an end is known to a frame only. */
const GOES_ON_90K = 9000;
/** A shorter loss is a discontinuity without a gap (docs/design/time.md). */
const MIN_GAP_MS = 1000;
const BLOCK_BYTES = 256 * 1024;
const PACKET_BYTES = 188;

/** What recovery goes on from. */
export interface RecoveryOptions extends Patient {
  readonly journal: Journal;
  readonly last: CommittedSegment | undefined;
  /** The number of the first file to look for. */
  readonly fromIndex: number;
  /** Entries that were cut off with a damage before them, by URI. */
  readonly cutOff: ReadonlyMap<string, PlaylistEntry>;
  /** The epoch of this ownership. */
  readonly epoch: number;
}

/** A file whose media can be entered. */
interface Candidate {
  readonly index: number;
  readonly name: string;
  readonly isRemains: boolean;
  readonly file: FileFacts;
  /** Of its whole packets. */
  readonly probe: Probe;
  /** To where the next goes on, when it does. */
  duration90k: number;
}

/** Enters what follows the last entry; answers with the entries. Their files are durable and in the journal then. */
export async function recoverSegments(options: RecoveryOptions): Promise<CommittedSegment[]> {
  const candidates = await findCandidates(options);
  for (const [i, candidate] of candidates.entries()) {
    const next = candidates[i + 1]?.probe.pts;
    if (next && candidate.probe.pts && Math.abs(ptsDelta(endOf(candidate), next.first90k)) <= GOES_ON_90K) {
      candidate.duration90k = ptsDelta(candidate.probe.pts.first90k, next.first90k);
    }
  }
  const { header } = options.journal;
  if (candidates.length === 0) return [];
  if (header !== undefined && header.life === undefined) {
    for (const candidate of candidates) leave(options, candidate, 'the playlist is of another system, and does not name it');
    return [];
  }
  if (header !== undefined && !options.journal.ended && header.type !== 'VOD') return enterOpenLife(options, header, candidates);
  return enterOverLife(options, candidates);
}

/** Into the life that is resumed, one append each. */
async function enterOpenLife(
  options: RecoveryOptions,
  header: PlaylistHeader,
  candidates: readonly Candidate[],
): Promise<CommittedSegment[]> {
  const entered: CommittedSegment[] = [];
  let end: End | undefined = options.last && { segment: options.last, ms: endMs(options.last) };
  for (const candidate of candidates) {
    const placed = place(options, candidate, end, header.targetDurationSec);
    if (placed === undefined) continue;
    await makeSegment(options, candidate);
    await options.journal.append(renderEntry(placed.entry));
    noteEntered(options, candidate);
    entered.push(placed.end.segment);
    end = placed.end;
  }
  return entered;
}

/**
 * Into a life of their own, over as soon as it begins: where the last one has ended, or none had begun, nobody knows the target of
 * the next yet.
 */
async function enterOverLife(options: RecoveryOptions, candidates: readonly Candidate[]): Promise<CommittedSegment[]> {
  const { journal } = options;
  const { header } = journal;
  const longest90k = Math.max(...candidates.map(({ duration90k }) => duration90k));
  const targetDurationSec = Math.max(1, Math.round(longest90k / 90_000), journal.hasEntries ? (header?.targetDurationSec ?? 0) : 0);
  const entries: PlaylistEntry[] = [];
  const segments: CommittedSegment[] = [];
  const placedFrom: Candidate[] = [];
  let end: End | undefined = options.last && { segment: options.last, ms: endMs(options.last) };
  for (const candidate of candidates) {
    const placed = place(options, candidate, end, targetDurationSec);
    if (placed === undefined) continue;
    await makeSegment(options, candidate);
    entries.push(placed.entry);
    segments.push(placed.end.segment);
    placedFrom.push(candidate);
    end = placed.end;
  }
  const first = segments[0];
  if (first === undefined) return [];
  const kept = journal.hasEntries ? header : undefined;
  await journal.replace({
    header: {
      version: Math.max(3, header?.version ?? 3),
      targetDurationSec,
      mediaSequence: kept?.mediaSequence ?? first.mediaSequence,
      discontinuitySequence: kept?.discontinuitySequence ?? first.discontinuitySequence - (first.discontinuity ? 1 : 0),
      type: 'VOD',
      life: (header?.life ?? 0) + 1,
      unknownTags: header?.unknownTags ?? [],
      unknownKeys: header?.unknownKeys ?? [],
    },
    ended: true,
    entry: entries.map(renderEntry).join(''),
  });
  for (const candidate of placedFrom) noteEntered(options, candidate);
  return segments;
}

/** The files that follow, in order, each with what its media says. What cannot be used is set aside. */
async function findCandidates(options: RecoveryOptions): Promise<Candidate[]> {
  const { storage, clock, healing, fromIndex } = options;
  const { files } = storage;
  const untilMs = clock.monotonicMs() + MAX_MS;
  const found: Candidate[] = [];
  let looked = 0;
  for (let index = fromIndex, free = 0; free < FREE_IN_A_ROW; index++) {
    const name = segmentName(index);
    const [file, part] = [await files.stat(name), await files.stat(name + PART_SUFFIX)];
    if (file === undefined && part === undefined) {
      free += 1;
      continue;
    }
    free = 0;
    if (looked >= MAX_FILES || clock.monotonicMs() > untilMs) {
      const detail = 'more segments follow the playlist than are entered on open: livetape check --repair enters the rest';
      healing.note({ found: 'unlisted_segment', done: 'left', file: name, detail });
      break;
    }
    looked += 1;
    const candidate = file ? await examine(options, index, false, file) : part && (await examine(options, index, true, part));
    if (candidate) found.push(candidate);
    // Both at once are two writers' doing; one number is one segment.
    if (file && part) await discard(options, name + PART_SUFFIX, part, 'upload_remains', `${name} is there already`);
  }
  return found;
}

async function examine(options: RecoveryOptions, index: number, isRemains: boolean, file: FileFacts): Promise<Candidate | undefined> {
  const { files } = options.storage;
  const path = segmentName(index) + (isRemains ? PART_SUFFIX : '');
  const all = await probe(files, path, file.sizeBytes);
  const whole = all.wholeBytes === file.sizeBytes ? all : await probe(files, path, all.wholeBytes);
  const found = isRemains ? 'upload_remains' : 'unlisted_segment';
  if (whole.sizeBytes === 0 || whole.program === undefined || whole.pts === undefined) {
    await discard(options, path, file, found, 'nothing in it can be played');
    return undefined;
  }
  const candidate = { index, name: segmentName(index), isRemains, file, probe: whole, duration90k: whole.duration90k };
  if (!whole.startsWithTables) {
    leave(options, candidate, 'it does not begin with a PAT and a PMT');
    return undefined;
  }
  return candidate;
}

async function probe(files: StreamStorage['files'], name: string, toByte: number): Promise<Probe> {
  const probing = new SegmentProbe();
  for (let at = 0; at < toByte; at += BLOCK_BYTES) {
    const bytes = await files.read(name, at, Math.min(toByte, at + BLOCK_BYTES));
    if (bytes === undefined || bytes.length === 0) break;
    probing.push(bytes);
  }
  return probing.end();
}

/** The end of what is recorded, to more than the millisecond that an entry says. */
interface End {
  readonly segment: CommittedSegment;
  readonly ms: number;
}

/** The entry for a candidate; undefined when it cannot follow, and stays as it is. */
function place(
  options: RecoveryOptions,
  candidate: Candidate,
  after: End | undefined,
  targetDurationSec: number,
): { readonly entry: PlaylistEntry; readonly end: End } | undefined {
  let refusal = '';
  for (const facts of [knownFacts(options, candidate), factsOf(options, candidate, after)]) {
    if (facts === undefined) continue;
    const entry = entryOf(facts, placing(options, candidate, after?.segment, facts.discontinuity));
    try {
      checkFollows(after?.segment, entry, targetDurationSec);
    } catch (error) {
      if (!isLivetapeError(error, 'INVARIANT_BROKEN')) throw error;
      refusal = error.message;
      continue;
    }
    invariant(entry.facts && entry.wallMs !== undefined, 'an entry of ours has facts');
    return { entry, end: { segment: segmentOf(entry, entry.facts, entry.wallMs), ms: endMs(facts) } };
  }
  leave(options, candidate, refusal);
  return undefined;
}

/** What its entry said before it was cut off with a damage, when the file is still the same. */
function knownFacts({ cutOff }: RecoveryOptions, { name, probe: media }: Candidate): SegmentFacts | undefined {
  const entry = cutOff.get(name);
  if (!entry?.facts || entry.wallMs === undefined) return undefined;
  if (entry.facts.sizeBytes !== media.sizeBytes || entry.facts.crc32 !== media.crc32) return undefined;
  return segmentOf(entry, entry.facts, entry.wallMs);
}

function factsOf(options: RecoveryOptions, candidate: Candidate, after: End | undefined): SegmentFacts | undefined {
  const { probe: media, duration90k, file } = candidate;
  if (media.pts === undefined) return undefined;
  const lastPts = after?.segment.pts;
  const goesOn = lastPts !== undefined && Math.abs(ptsDelta(lastPts.end90k, media.pts.first90k)) <= GOES_ON_90K;
  // A file cannot be of a time to come; where the medium knows no times, now has to do.
  const nowMs = options.clock.nowMs();
  const guessMs = Math.max(0, Math.min(file.modifiedMs ?? nowMs, nowMs) - duration90k / 90);
  const wallMs = after === undefined ? guessMs : goesOn ? after.ms : Math.max(after.ms, guessMs);
  const lost = after !== undefined && wallMs - after.ms > MIN_GAP_MS;
  return {
    discontinuity: after !== undefined && !goesOn,
    wallMs,
    duration90k,
    pts: { first90k: media.pts.first90k, end90k: endOf(candidate) },
    keyframes: media.keyframes,
    headBytes: 0,
    forced: !media.startsWithKeyframe && hasVideo(media),
    lostBytes: 0,
    errors: {
      continuity: media.errors.continuity,
      transportError: media.errors.transportError,
      syncSkippedBytes: media.errors.syncSkippedBytes,
      scrambled: media.errors.scrambled,
    },
    gap: lost ? { fromMs: after.ms, toMs: wallMs, reason: 'restart' } : undefined,
  };
}

function placing(
  { epoch }: RecoveryOptions,
  { index, name, probe: media }: Candidate,
  last: CommittedSegment | undefined,
  discontinuity: boolean,
): Placing {
  return {
    index,
    uri: name,
    mediaSequence: last === undefined ? 0 : last.mediaSequence + 1,
    discontinuitySequence: (last?.discontinuitySequence ?? 0) + (discontinuity ? 1 : 0),
    sizeBytes: media.sizeBytes,
    cumulativeBytes: (last?.cumulativeBytes ?? 0) + media.sizeBytes,
    crc32: media.crc32,
    epoch,
  };
}

/** Makes the whole packets of a file the segment of its number, durable (F8). */
async function makeSegment({ storage, clock }: RecoveryOptions, candidate: Candidate): Promise<void> {
  const { files } = storage;
  const { name, isRemains, file, probe: media } = candidate;
  const path = name + (isRemains ? PART_SUFFIX : '');
  // Cut short, an upload ends in a torn packet or in the zeros that a power cut leaves. Anything else may be readable to somebody.
  if (!(await isWorthless(files, path, media.sizeBytes, file.sizeBytes))) await copyAside(files, path, clock.nowMs());
  await files.trim(path, media.sizeBytes);
  if (isRemains) await files.rename(path, name);
}

async function isWorthless(files: StreamStorage['files'], name: string, fromByte: number, toByte: number): Promise<boolean> {
  if (toByte - fromByte < PACKET_BYTES) return true;
  for (let at = fromByte; at < toByte; at += BLOCK_BYTES) {
    const bytes = await files.read(name, at, Math.min(toByte, at + BLOCK_BYTES));
    if (bytes?.some((byte) => byte !== 0)) return false;
  }
  return true;
}

/** Takes a file that is of no use out of the way; an empty one has nothing to keep. */
async function discard(
  { storage, clock, healing }: RecoveryOptions,
  file: string,
  { sizeBytes }: FileFacts,
  found: Healed['found'],
  detail: string,
): Promise<void> {
  if (sizeBytes === 0) {
    await storage.files.remove(file);
    healing.note({ found, done: 'removed', file, sizeBytes, detail });
    return;
  }
  const keptAs = await setAside(storage.files, file, clock.nowMs());
  healing.note({ found, done: 'set_aside', file, keptAs, sizeBytes, detail });
}

function leave({ healing }: RecoveryOptions, { name, isRemains, file }: Candidate, detail: string): void {
  const path = name + (isRemains ? PART_SUFFIX : '');
  const found = isRemains ? 'upload_remains' : 'unlisted_segment';
  healing.note({ found, done: 'left', file: path, sizeBytes: file.sizeBytes, detail });
}

function noteEntered({ healing }: RecoveryOptions, { name, isRemains, probe: media }: Candidate): void {
  const found = isRemains ? 'upload_remains' : 'unlisted_segment';
  const detail = isRemains ? 'what was received of it before the crash is in the playlist now' : 'it is in the playlist now';
  healing.note({ found, done: 'entered', file: name, sizeBytes: media.sizeBytes, detail });
}

const endOf = ({ probe: media, duration90k }: Candidate): number => ((media.pts?.first90k ?? 0) + duration90k) % PTS_MODULUS;

function hasVideo({ program }: Probe): boolean {
  return program?.tracks.some(({ role }) => role === 'video') ?? false;
}
