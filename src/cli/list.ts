/** `livetape list`: the streams of a folder, each with what it holds. */
import type { Command } from 'commander';
import { loadIndex, summarize, type ListedKeep } from '../archive/index.js';
import { isLivetapeError } from '../base/index.js';
import { createLivetape } from '../livetape.js';
import type { StreamStorage } from '../storage/index.js';
import { folder } from './arguments.js';
import type { CliIo } from './io.js';
import { keepJson } from './keep.js';
import { showDuration, showSize, showTime, table } from './output.js';

/** What is told of a stream. */
interface Listed {
  readonly code: string;
  readonly status: 'recording' | 'stopped' | 'damaged';
  readonly startedAtMs?: number | undefined;
  readonly lastSegmentAtMs?: number | undefined;
  readonly segmentCount: number;
  readonly sizeBytes: number;
  readonly gapCount: number;
}

/** Adds the command. */
export function addList(program: Command, io: CliIo): void {
  program
    .command('list')
    .description('the streams that are there')
    .option('--data <DIR>', 'the folder of all streams', folder, folder('dvr'))
    .option('--json', 'as JSON')
    .action(async ({ data, json = false }: { data: string; json?: boolean }) => {
      await using livetape = await createLivetape({ root: data, clock: io.clock });
      const streams: Listed[] = [];
      for await (const code of livetape.storage.list()) streams.push(await look(code, livetape.storage.stream(code)));
      const keeps = await livetape.dvr.keeps();
      streams.sort((a, b) => (a.code < b.code ? -1 : 1));
      if (json) {
        const told = { streams: streams.map((stream) => listedJson(stream, keeps)), keeps: keeps.map(keepJson) };
        return io.out(`${JSON.stringify(told)}\n`);
      }
      if (streams.length === 0) io.out(`no streams in ${data}\n`);
      else io.out(table(['STREAM', 'STATUS', 'FROM', 'TO', 'SPAN', 'SEGMENTS', 'SIZE', 'GAPS'], streams.map(row)));
      if (keeps.length > 0) io.out(`keeps: ${keeps.length}, ${showSize(sizeOf(keeps))} (livetape keep --list)\n`);
    });
}

/** index.json where it can be read, else the playlist, which is the truth; a stream whose playlist is damaged is listed all the same. */
async function look(code: string, place: StreamStorage): Promise<Listed> {
  const index = await loadIndex(place).catch(() => undefined);
  if (index?.status) {
    const { status, startedAt, lastSegmentAt, segmentCount, totalSizeBytes, gaps } = index;
    const times = { startedAtMs: startedAt?.getTime(), lastSegmentAtMs: lastSegmentAt?.getTime() };
    return { code, status, ...times, segmentCount, sizeBytes: totalSizeBytes, gapCount: gaps.length };
  }
  try {
    const { ended, ...summary } = await summarize(place);
    return { code, status: ended ? 'stopped' : 'recording', ...summary };
  } catch (error) {
    if (!isLivetapeError(error)) throw error;
    return { code, status: 'damaged', segmentCount: 0, sizeBytes: 0, gapCount: 0 };
  }
}

function row({ code, status, startedAtMs, lastSegmentAtMs, segmentCount, sizeBytes, gapCount }: Listed): string[] {
  const span = startedAtMs !== undefined && lastSegmentAtMs !== undefined ? showDuration((lastSegmentAtMs - startedAtMs) / 1000) : '-';
  const times = [startedAtMs, lastSegmentAtMs].map((atMs) => (atMs === undefined ? '-' : showTime(atMs)));
  return [code, status, ...times, span, String(segmentCount), showSize(sizeBytes), String(gapCount)];
}

const sizeOf = (keeps: readonly ListedKeep[]): number => keeps.reduce((sum, keep) => sum + keep.sizeBytes, 0);

/** Names as in index.json. */
function listedJson(
  { code, status, startedAtMs, lastSegmentAtMs, segmentCount, sizeBytes, gapCount }: Listed,
  keeps: readonly ListedKeep[],
): Record<string, unknown> {
  const own = keeps.filter((keep) => keep.streamCode === code);
  return {
    stream_code: code,
    status,
    started_at: startedAtMs === undefined ? undefined : new Date(startedAtMs).toISOString(),
    last_segment_at: lastSegmentAtMs === undefined ? undefined : new Date(lastSegmentAtMs).toISOString(),
    segment_count: segmentCount,
    total_size_bytes: sizeBytes,
    gap_count: gapCount,
    keep_count: own.length,
    keep_size_bytes: sizeOf(own),
  };
}
