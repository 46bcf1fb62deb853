/** `livetape keep CODE`: keeps a window of a stream for good, lists the keeps, removes one. */
import type { Command } from 'commander';
import { loadIndex, type Keep, type ListedKeep } from '../archive/index.js';
import { LivetapeError } from '../base/index.js';
import { createLivetape, type Livetape } from '../livetape.js';
import { checkStreamCode } from '../model/index.js';
import { folder, moment } from './arguments.js';
import type { CliIo } from './io.js';
import { showDuration, showSize, showTime, table } from './output.js';

interface KeepArguments {
  readonly data: string;
  readonly from?: number;
  readonly to?: number;
  readonly name?: string;
  readonly list?: boolean;
  readonly remove?: string;
  readonly json?: boolean;
}

/** Adds the command. */
export function addKeep(program: Command, io: CliIo): void {
  program
    .command('keep')
    .description('keep a window of a stream for good')
    .argument('[CODE]', 'the stream code; --list without one lists the keeps of all')
    .option('--from <TIME>', 'where the window begins: RFC 3339 or Unix seconds', moment('--from'))
    .option('--to <TIME>', 'where it ends', moment('--to'))
    .option('--name <NAME>', 'what it is called: letters, digits, "_" and "-"')
    .option('--list', 'the keeps of the stream, or of all')
    .option('--remove <NAME>', 'remove one')
    .option('--data <DIR>', 'the folder of all streams', folder, folder('dvr'))
    .option('--json', 'as JSON')
    .action(async (given: string | undefined, options: KeepArguments) => {
      const step = chosen(options);
      const code = given === undefined ? undefined : checkStreamCode(given);
      if (code === undefined && !options.list) throw new LivetapeError('ARGUMENT_INVALID', 'keep takes the code of a stream');
      await using livetape = await createLivetape({ root: options.data, clock: io.clock });
      await step(livetape, code ?? '', io);
    });
}

type Step = (livetape: Livetape, code: string, io: CliIo) => Promise<void>;

/** Which of the three it is to do. */
function chosen({ from, to, name, list, remove, json = false }: KeepArguments): Step {
  const makes = from !== undefined || to !== undefined || name !== undefined;
  if (Number(makes) + Number(list === true) + Number(remove !== undefined) !== 1) {
    throw new LivetapeError('ARGUMENT_INVALID', 'keep takes either --from, --to and --name, or --list, or --remove');
  }
  if (list) return (livetape, code, io) => listAll(livetape, code, io, json);
  if (remove !== undefined) {
    return async (livetape, code, io) => {
      await livetape.dvr.removeKeep(code, remove);
      io.out(json ? `${JSON.stringify({ stream_code: code, name: remove })}\n` : `removed the keep ${remove} of ${code}\n`);
    };
  }
  if (from === undefined || to === undefined || name === undefined) {
    throw new LivetapeError('ARGUMENT_INVALID', 'keep takes --from, --to and --name together');
  }
  return async (livetape, code, io) => {
    const keep = await livetape.dvr.keep(code, { from: new Date(from), to: new Date(to), name });
    io.out(json ? `${JSON.stringify(keepJson(keep))}\n` : `kept ${said(keep)}: ${keep.location}\n`);
  };
}

async function listAll(livetape: Livetape, code: string, io: CliIo, json: boolean): Promise<void> {
  const keeps = await livetape.dvr.keeps(code === '' ? undefined : code);
  // A stream that was never there is a typing mistake; one that was deleted may have left keeps.
  if (keeps.length === 0 && code !== '') {
    const place = livetape.storage.stream(code);
    const isStream = (await place.journalSize()) !== undefined || (await loadIndex(place).catch(() => undefined)) !== undefined;
    if (!isStream) throw new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${code} in ${livetape.storage.location}`);
  }
  if (json) return io.out(`${JSON.stringify(keeps.map(keepJson))}\n`);
  if (keeps.length === 0) return io.out(code === '' ? `no keeps in ${livetape.storage.location}\n` : `no keeps of ${code}\n`);
  const rows = keeps.map((keep) => {
    const size = showSize(keep.sizeBytes);
    if (keep.damage !== undefined) return [keep.streamCode, keep.name, 'damaged', '-', '-', '-', size];
    const [fromMs, toMs] = [keep.from.getTime(), keep.to.getTime()];
    return [
      keep.streamCode,
      keep.name,
      showTime(fromMs),
      showTime(toMs),
      showDuration((toMs - fromMs) / 1000),
      String(keep.segmentCount),
      size,
    ];
  });
  io.out(table(['STREAM', 'NAME', 'FROM', 'TO', 'SPAN', 'SEGMENTS', 'SIZE'], rows));
}

function said({ from, to, segmentCount, sizeBytes, missingCount = 0 }: Keep): string {
  const missing = missingCount > 0 ? ` (${missingCount} that are listed are gone and left out)` : '';
  return `${showTime(from.getTime())} to ${showTime(to.getTime())}, ${segmentCount} segments${missing}, ${showSize(sizeBytes)}`;
}

/** Names as in index.json. */
export function keepJson(keep: ListedKeep): Record<string, unknown> {
  const { streamCode, name, sizeBytes, location } = keep;
  const read = keep.damage === undefined ? keep : undefined;
  return {
    stream_code: streamCode,
    name,
    started_at: read?.from.toISOString(),
    last_segment_at: read?.to.toISOString(),
    segment_count: read?.segmentCount,
    missing_count: read?.missingCount,
    total_size_bytes: sizeBytes,
    segment_dir: location,
    damage: keep.damage,
  };
}
