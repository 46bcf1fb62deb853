/** `livetape info CODE`: one stream, read from its playlist. */
import type { Command } from 'commander';
import { summarize, type ArchiveSummary } from '../archive/index.js';
import { LivetapeError, isLivetapeError } from '../base/index.js';
import { createLivetape } from '../livetape.js';
import { checkStreamCode } from '../model/index.js';
import { folder } from './arguments.js';
import type { CliIo } from './io.js';
import { gapJson, showBitrate, showDuration, showSize, showTime, table } from './output.js';

/** Gaps shown to people; `--json` has all that are known. */
const SHOWN_GAPS = 20;

/** Adds the command. */
export function addInfo(program: Command, io: CliIo): void {
  program
    .command('info')
    .description('what is recorded of a stream: its span, size and gaps')
    .argument('<CODE>', 'the stream code')
    .option('--data <DIR>', 'the folder of all streams', folder, folder('dvr'))
    .option('--json', 'as JSON')
    .action(async (given: string, { data, json = false }: { data: string; json?: boolean }) => {
      const code = checkStreamCode(given);
      await using livetape = await createLivetape({ root: data, clock: io.clock });
      const place = livetape.storage.stream(code);
      const summary = await summarize(place).catch((error: unknown) => {
        if (!isLivetapeError(error, 'STREAM_NOT_FOUND')) throw error;
        throw new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${code} in ${data}`, { cause: error });
      });
      io.out(json ? `${JSON.stringify(infoJson(code, place.location, summary))}\n` : infoText(code, place.location, summary));
    });
}

function infoText(code: string, location: string, summary: ArchiveSummary): string {
  const { startedAtMs, lastSegmentAtMs, durationSec, sizeBytes } = summary;
  const lines: [string, string][] = [
    ['stream', code],
    ['folder', location],
    [
      'status',
      `${summary.ended ? 'stopped' : 'recording, or to be resumed'}${summary.life === undefined ? '' : ` (life ${summary.life})`}`,
    ],
  ];
  if (startedAtMs !== undefined && lastSegmentAtMs !== undefined) {
    lines.push(['from', showTime(startedAtMs)], ['to', showTime(lastSegmentAtMs)]);
  }
  lines.push(
    ['media', `${showDuration(durationSec)} in ${summary.segmentCount} segments, target duration ${summary.targetDurationSec} s`],
    ['size', `${showSize(sizeBytes)}${durationSec > 0 ? `, ${showBitrate((sizeBytes * 8) / durationSec)}` : ''}`],
    ['gaps', `${summary.gapCount}, and ${summary.discontinuities} discontinuities`],
  );
  const shown = summary.gaps.slice(-SHOWN_GAPS);
  const rows = shown.map((gap) => [
    showTime(gap.fromMs),
    showTime(gap.toMs),
    `${((gap.toMs - gap.fromMs) / 1000).toFixed(3)} s`,
    gap.reason,
  ]);
  const more = summary.gapCount > shown.length ? `\nthe newest ${shown.length} of ${summary.gapCount} gaps:\n` : '\n';
  const gaps = rows.length > 0 ? `${more}${table(['FROM', 'TO', 'LENGTH', 'REASON'], rows)}` : '';
  return `${lines.map(([name, value]) => `${name.padEnd(8)}${value}`).join('\n')}\n${gaps}`;
}

/** Names as in index.json. */
function infoJson(code: string, location: string, summary: ArchiveSummary): Record<string, unknown> {
  const time = (atMs: number | undefined): string | undefined => (atMs === undefined ? undefined : new Date(atMs).toISOString());
  return {
    stream_code: code,
    segment_dir: location,
    status: summary.ended ? 'stopped' : 'recording',
    life: summary.life,
    target_duration: summary.targetDurationSec,
    started_at: time(summary.startedAtMs),
    last_segment_at: time(summary.lastSegmentAtMs),
    duration_sec: summary.durationSec,
    segment_count: summary.segmentCount,
    total_size_bytes: summary.sizeBytes,
    discontinuity_count: summary.discontinuities,
    gap_count: summary.gapCount,
    gaps: summary.gaps.map(gapJson),
  };
}
