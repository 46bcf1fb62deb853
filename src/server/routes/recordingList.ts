/** `GET /api/v1/recordings`: a line for each archive (docs/design/page.md, G10). */
import { z } from 'zod';
import { opensStream } from '../../access/index.js';
import { errorResponses, json } from '../openapi.js';
import { RecordingLines, type RecordingLine } from '../recordingLines.js';
import type { Routes } from '../route.js';
import { countSchema, problemSchema, timeSchema, timeText } from './shapes.js';

const lineSchema = z
  .object({
    stream_code: z.string(),
    dvr_range: z
      .object({ started_at: timeSchema, last_segment_at: timeSchema })
      .nullable()
      .describe('From the beginning of the oldest segment to the end of the newest; null when there is none.'),
    segment_count: countSchema,
    total_size_bytes: countSchema,
    last_day: z
      .object({ gaps: countSchema, gap_sec: z.number().min(0) })
      .describe('Gaps of the last 24 hours, and how long they are within those. One that has not ended is not among them.'),
    problem: problemSchema.nullable().describe('Why the archive cannot be read; what is not known is null or 0.'),
  })
  .meta({
    id: 'ArchiveLine',
    description: 'An archive in a line.',
    examples: [
      {
        stream_code: 'news',
        dvr_range: { started_at: '2026-01-01T12:00:00.000Z', last_segment_at: '2026-01-01T13:00:00.000Z' },
        segment_count: 899,
        total_size_bytes: 2247000000,
        last_day: { gaps: 1, gap_sec: 5 },
        problem: null,
      },
    ],
  });

export const recordingListRoutes: Routes =
  ({ channels, playback, events, clock, log }) =>
  async (app) => {
    const lines = new RecordingLines({ playback, events, clock, log });
    app.addHook('onClose', async () => lines.close());

    app.get(
      '/api/v1/recordings',
      {
        config: { access: { scope: 'api' } },
        schema: {
          operationId: 'listRecordings',
          tags: ['recordings'],
          summary: 'What is recorded of all streams',
          description:
            'A line for each stream, by code. It may be ten seconds old, and a minute where another process records. An archive that cannot be read has its `problem`, and the others their lines.',
          response: { 200: json('The archives.', z.object({ recordings: z.array(lineSchema) })), ...errorResponses() },
        },
      },
      async ({ grant }) => {
        const all = (await channels.list()).map(({ code }) => code);
        lines.keep(new Set(all));
        const codes = all.filter((code) => opensStream(grant, code));
        const found = await lines.of(codes);
        return { recordings: codes.flatMap((code, i) => (found[i] === undefined ? [] : [lineAnswer(code, found[i])])) };
      },
    );
  };

function lineAnswer(code: string, { summary, problem }: RecordingLine): z.output<typeof lineSchema> {
  const lastDay = summary?.lastDay ?? { gaps: 0, gapMs: 0 };
  return {
    stream_code: code,
    dvr_range: summary ? { started_at: timeText(summary.startedAtMs), last_segment_at: timeText(summary.lastSegmentAtMs) } : null,
    segment_count: summary?.segmentCount ?? 0,
    total_size_bytes: summary?.totalSizeBytes ?? 0,
    last_day: { gaps: lastDay.gaps, gap_sec: Math.round(lastDay.gapMs) / 1000 },
    problem: problem ?? null,
  };
}
