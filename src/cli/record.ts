/**
 * `livetape record SOURCE --stream CODE`: records until the source ends for good, --duration has passed, or SIGINT or SIGTERM comes, and
 * finishes the recording as VOD.
 */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { LivetapeError, delay, silentLogger, toLivetapeError, type Clock } from '../base/index.js';
import { openSource, sourceOptions } from '../ingest/index.js';
import { createLivetape, type Connection, type Livetape } from '../livetape.js';
import { checkStreamCode } from '../model/index.js';
import { folder, gigabytes, seconds } from './arguments.js';
import { errorLine } from './errorLine.js';
import type { CliIo } from './io.js';
import { showDuration, showSize } from './output.js';
import { printEvents } from './recordEvents.js';
import { RecordProgress, progressLogger } from './recordProgress.js';
import { endOnSignals } from './signals.js';

interface RecordArguments {
  readonly stream: string;
  readonly data: string;
  readonly segment: number;
  readonly duration?: number;
  readonly retention: number;
  readonly maxSize: number;
  readonly minFree: number;
  readonly json?: boolean;
}

/** Adds the command. */
export function addRecord(program: Command, io: CliIo, done: (status: number) => void): void {
  program
    .command('record')
    .description('record a source until it ends, --duration has passed, or Ctrl-C')
    .argument('<SOURCE>', 'udp://, rtp://, tcp://, http(s)://, file:PATH[?loop=1], or - for standard input')
    .requiredOption('--stream <CODE>', 'the stream code: the name of its folder')
    .option('--data <DIR>', 'the folder of all streams', folder, folder('dvr'))
    .option('--segment <SECONDS>', 'how long a segment should be', seconds('--segment', 1, 30), 4)
    .option('--duration <SECONDS>', 'end after so long', seconds('--duration', 0.1, 10 * 365 * 86_400))
    .option('--retention <SECONDS>', 'keep so much; what is older goes', seconds('--retention', 1, 100 * 365 * 86_400), 0)
    .option('--max-size <GB>', 'keep at most so many gigabytes', gigabytes('--max-size'), 0)
    .option('--min-free <GB>', 'keep so many gigabytes of the disk free; the oldest of all its streams goes', gigabytes('--min-free'), 0)
    .option('--json', 'one event a line on standard output')
    .action(async (source: string, given: RecordArguments) => done(await record(source, given, io)));
}

async function record(sourceUrl: string, given: RecordArguments, io: CliIo): Promise<number> {
  const code = checkStreamCode(given.stream);
  const { program } = sourceOptions(sourceUrl);
  // what is wrong with the URL is said before anything is made
  await openSource(sourceUrl, { clock: io.clock, log: silentLogger }).close();

  let say = (text: string): void => io.err(`${text}\n`);
  const log = given.json ? silentLogger : progressLogger((text) => say(text));
  await using livetape = await createLivetape({ root: given.data, minFreeGb: given.minFree, clock: io.clock, log });
  if (given.json)
    printEvents(
      livetape.dvr,
      () => io.clock.nowMs(),
      (line) => io.out(`${line}\n`),
    );
  const progress = new RecordProgress(io, livetape, code);
  if (!given.json) say = (text) => progress.say(text);
  livetape.dvr.on('recording.failed', ({ error }) => progress.say(errorLine(error).trimEnd()));

  const stopping = new AbortController();
  const stopListening = endOnSignals(io, stopping);
  try {
    const kept = { retentionSec: Math.ceil(given.retention), maxSizeGb: given.maxSize };
    const config = { enabled: true, segmentDuration: given.segment, ...kept, storagePath: '' };
    const { segmentDir } = await livetape.dvr.startRecording(code, code, config, { program });
    const connection = livetape.connect(sourceUrl, code);
    if (!given.json) {
      say(`recording ${connection.url} into ${segmentDir}`);
      progress.start(connection);
    }
    const ended = await waitForEnd(connection, given.duration, io.clock, stopping.signal);
    await connection.close();
    const nothing = whyNothing(livetape, code, connection);
    await livetape.dvr.stopRecording(code).finally(() => progress.stop());
    const { segments, bytes, seconds: length } = progress.written;
    if (segments === 0) throw ended?.error ? toLivetapeError(ended.error, 'SOURCE_FAILED', connection.url) : nothing;
    if (!given.json) {
      if (ended) say(`the source has ended: ${ended.reason}`);
      say(`recorded ${showDuration(length)} in ${segments} segments, ${showSize(bytes)}: ${resolve(segmentDir, 'playlist.m3u8')}`);
    }
    if (ended?.error) throw toLivetapeError(ended.error, 'SOURCE_FAILED', connection.url);
    return 0;
  } finally {
    progress.stop();
    stopListening();
  }
}

/** Waits for the source to end for good (and answers with how), for the duration, or for a signal. */
async function waitForEnd(
  connection: Connection,
  durationSec: number | undefined,
  clock: Clock,
  signal: AbortSignal,
): ReturnType<typeof ended> {
  const over = new AbortController();
  const stop = (): void => over.abort();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const waited = durationSec === undefined ? untilAborted(over.signal) : delay(clock, durationSec * 1000, over.signal);
  const end = await Promise.race([ended(connection), waited.then(() => undefined)]);
  stop();
  signal.removeEventListener('abort', stop);
  return end;
}

async function ended(connection: Connection): Promise<{ readonly reason: string; readonly error: Error | undefined } | undefined> {
  return connection.ended;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}

/** Why nothing was recorded, from what is known while the session is still there. */
function whyNothing(livetape: Livetape, code: string, connection: Connection): LivetapeError {
  const { url, stats, detail } = connection;
  const status = livetape.dvr.status(code);
  if (status?.error) return status.error;
  const context = { source: url };
  if (stats.receivedBytes === 0) {
    const why = detail === '' ? '' : `: ${detail}`;
    return new LivetapeError('SOURCE_FAILED', `nothing was recorded: nothing came from ${url}${why}`, { context });
  }
  const came = `nothing was recorded: ${showSize(stats.receivedBytes)} came from ${url}`;
  const programs = status?.session?.programs ?? [];
  if (status?.session?.program === undefined && programs.length > 0) {
    const there = programs.join(', ');
    return new LivetapeError('PROGRAM_NOT_FOUND', `${came}, and the program asked for is not in it: there is ${there}`, { context });
  }
  if (status?.session?.program === undefined)
    return new LivetapeError('SOURCE_NOT_TS', `${came}, and no MPEG-TS program was found in it`, { context });
  return new LivetapeError('SOURCE_FAILED', `${came}, and no picture or sound that a segment could begin with`, { context });
}
