/**
 * What the tests of check and repair share: recordings through the real service with a clock that is moved by hand, in folders, so that
 * anything can be done to their files; and check and repair with what they told.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkArchive, repairArchive, type CheckReport, type Finding, type FindingKind, type RepairAction } from '../src/archive/index.js';
import { ManualClock, silentLogger, systemClock } from '../src/base/index.js';
import { CONFIG, feed, play, settle, testService } from '../src/recorder/testService.js';
import { openFolder, openFsStorage, type StreamStorage } from '../src/storage/index.js';
import { patched } from './archiveLab.js';
import { temporaryFolder } from './lab.js';
import { TsBuilder, type ChannelSpec } from './tsBuilder.js';

/** Recordings lie an hour back, so that nothing looks as if it were being written just now. */
const STARTED_MS = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;

/** A piece of what is sent: bytes over so many seconds, silence, or a restart of the recorder. */
export type Step = { readonly bytes: Uint8Array; readonly seconds: number } | { readonly silenceSec: number } | 'restart' | 'stop';

/** Records what is sent into a folder of its own and answers with that. */
export async function recorded(
  steps: readonly Step[],
  how: { segmentDuration?: number; program?: number | 'all'; root?: string } = {},
): Promise<string> {
  const root = how.root ?? (await temporaryFolder());
  const clock = new ManualClock(STARTED_MS);
  const storage = openFsStorage(root, { clock, log: silentLogger });
  const config = { ...CONFIG, segmentDuration: how.segmentDuration ?? 1 };
  const start = async (): Promise<ReturnType<typeof testService>> => {
    const service = testService(storage, clock);
    await service.dvr.startRecording('news', '', config, how.program === undefined ? {} : { program: how.program });
    return service;
  };
  let service: ReturnType<typeof testService> | undefined;
  for (const step of [...steps, 'stop'] as const) {
    if (step === 'stop') {
      await service?.dvr.stopRecording('news').catch(() => undefined);
      await service?.dvr.close();
      service = undefined;
    } else if (step === 'restart') {
      await service?.dvr.close();
      service = undefined;
    } else {
      service ??= await start();
      if ('silenceSec' in step) {
        for (let passed = 0; passed < step.silenceSec; passed += 0.25) {
          clock.advance(250);
          await settle();
        }
      } else if (step.seconds === 0) await feed(service.buffers.open('news'), step.bytes, 1316 * 20);
      else await play(service, service.buffers.open('news'), step.bytes, step.seconds);
    }
  }
  return join(root, 'news');
}

/** Seconds of a small channel. */
export function channel(seconds: number, spec: ChannelSpec = {}): Uint8Array {
  const builder = new TsBuilder();
  builder.stream({ seconds, frameBytes: 200, keyframeBytes: 1000, ...spec });
  return builder.bytes();
}

/** `fromSec` to `toSec` of `seconds` of a stream. */
export function cutOf(bytes: Uint8Array, seconds: number, fromSec: number, toSec: number): { bytes: Uint8Array; seconds: number } {
  const packets = bytes.length / 188;
  const at = (sec: number): number => 188 * Math.floor((packets * sec) / seconds);
  return { bytes: bytes.subarray(at(fromSec), at(toSec)), seconds: toSec - fromSec };
}

export function place(folder: string): StreamStorage {
  return openFolder(folder, { clock: systemClock, log: silentLogger });
}

/** `storage` whose files are read by `read`. */
export function readBy(storage: StreamStorage, read: StreamStorage['files']['read']): StreamStorage {
  const files = new Proxy(storage.files, {
    get(target, key): unknown {
      if (key === 'read') return read;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return patched(storage, { files });
}

export interface Checked {
  readonly findings: Finding[];
  readonly report: CheckReport;
  /** Kinds of damage, each once, in the order in which they were found. */
  readonly damages: FindingKind[];
}

/** Checks; what lies there was not written just now, whatever the files' times say. */
export async function check(folder: string, alone = true): Promise<Checked> {
  const findings: Finding[] = [];
  const report = await checkArchive(place(folder), { clock: systemClock, alone, onFinding: (found) => findings.push(found) });
  const damages = findings.filter(({ severity }) => severity === 'damage').map(({ kind }) => kind);
  return { findings, report, damages: [...new Set(damages)] };
}

/** Repairs and answers with what was done. */
export async function repair(folder: string): Promise<RepairAction[]> {
  const actions: RepairAction[] = [];
  await repairArchive(place(folder), { streamCode: 'news', clock: systemClock, onAction: (action) => actions.push(action) });
  return actions;
}

/** Changes a text file of an archive; says so when there was nothing to change. */
export function edit(folder: string, name: string, change: (text: string) => string): void {
  const path = join(folder, name);
  const text = readFileSync(path, 'latin1');
  const changed = change(text);
  if (changed === text) throw new Error(`nothing was changed in ${name}`);
  writeFileSync(path, changed, 'latin1');
}

/** Changes the bytes of a file. */
export function alter(folder: string, name: string, change: (bytes: Buffer) => Buffer): void {
  const path = join(folder, name);
  writeFileSync(path, change(readFileSync(path)));
}
