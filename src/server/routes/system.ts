/** `GET /api/v1/system`: the server itself, its recorders and its disks (docs/design/page.md, G12). */
import { z } from 'zod';
import type { RecorderStatus } from '../../recorder/index.js';
import { Disks, type DiskReport } from '../disks.js';
import { findUnwell } from '../health.js';
import { LoopWatch, type LoopDelay } from '../loopDelay.js';
import { errorResponses, json } from '../openapi.js';
import type { Routes } from '../route.js';
import { unwellSchema } from './health.js';
import { countSchema, timeSchema, timeText } from './shapes.js';

/** Several who look at once are told the same delay, which is measured since it was last told; milliseconds. */
const DELAY_MS = 5000;

const delaySchema = z.object({ mean_sec: z.number(), p99_sec: z.number(), max_sec: z.number() });

const recorderSchema = z.object({
  index: z.number().int(),
  state: z.enum(['starting', 'running', 'lost']),
  pid: z.number().int().nullable(),
  started_at: timeSchema.nullable(),
  restarts: countSchema.describe('How often it died or stalled and was replaced.'),
  streams: countSchema.describe('That it records.'),
  resident_bytes: countSchema,
  cpu_sec: z.number(),
  event_loop_delay: delaySchema.describe('Over its last heartbeats.'),
});

const diskSchema = z.object({
  name: z.string().describe('A root that lies on it, by the last part of its path.'),
  free_bytes: countSchema.describe('That can still be written.'),
  total_bytes: countSchema,
  reserved_bytes: countSchema.describe('That are to stay free (`min_free_gb`): with less the oldest segments go.'),
  streams: countSchema.describe('That are being recorded onto it.'),
  archive_bytes: countSchema.describe('Of the archives on it, recorded or not; without keeps.'),
  write_bytes_per_sec: countSchema.describe('What is recorded onto it: the mean of the last day, or of what there is.'),
  forecast: z
    .enum(['fills', 'holds', 'unknown'])
    .describe(
      'Each stream grows at its own rate until its retention holds it. `fills`: at `full_at` no more than the reserve is free. `holds`: retention ends the growth before. `unknown`: nothing has been recorded yet, or not by this server (`recorders: 0`).',
    ),
  full_at: timeSchema.nullable(),
  held_bytes: countSchema.nullable().describe('What retention lets the archives grow to; null where it does not bound all of them.'),
});

const systemSchema = z
  .object({
    version: z.string(),
    node: z.string().describe('The version of Node.'),
    started_at: timeSchema,
    now: timeSchema.describe("The server's clock."),
    auth: z.boolean().describe('Whether credentials are asked for.'),
    data: z.string().describe('The folder of the archives.'),
    server: z.object({
      resident_bytes: countSchema,
      cpu_sec: z.number(),
      event_loop_delay: delaySchema.describe('Since it was last told.'),
    }),
    recorders: z.array(recorderSchema),
    disks: z.array(diskSchema).describe('That of `data` first.'),
    problems: z.array(unwellSchema).describe('What is not well, as `/readyz` tells it.'),
  })
  .meta({
    id: 'System',
    description: 'The server, its recorders and its disks.',
    examples: [
      {
        version: '1.0.0',
        node: 'v20.19.0',
        started_at: '2026-01-01T00:00:00.000Z',
        now: '2026-01-08T12:00:00.000Z',
        auth: true,
        data: '/var/lib/livetape',
        server: { resident_bytes: 120000000, cpu_sec: 812.4, event_loop_delay: { mean_sec: 0.0002, p99_sec: 0.004, max_sec: 0.021 } },
        recorders: [
          {
            index: 0,
            state: 'running',
            pid: 4711,
            started_at: '2026-01-01T00:00:00.000Z',
            restarts: 0,
            streams: 12,
            resident_bytes: 150000000,
            cpu_sec: 40123.9,
            event_loop_delay: { mean_sec: 0.0004, p99_sec: 0.006, max_sec: 0.018 },
          },
        ],
        disks: [
          {
            name: 'livetape',
            free_bytes: 1100000000000,
            total_bytes: 4000000000000,
            reserved_bytes: 50000000000,
            streams: 12,
            archive_bytes: 2600000000000,
            write_bytes_per_sec: 7500000,
            forecast: 'fills',
            full_at: '2026-01-10T02:53:20.000Z',
            held_bytes: null,
          },
        ],
        problems: [],
      },
    ],
  });

type SystemAnswer = z.output<typeof systemSchema>;

export const systemRoutes: Routes = (context) => async (app) => {
  const { clock, config, channels, pool, version } = context;
  const startedMs = clock.nowMs();
  const disks = new Disks(context);
  const loop = new LoopWatch();
  app.addHook('onClose', () => loop.close());
  let told: { readonly atMs: number; readonly delay: LoopDelay } | undefined;
  const loopDelay = (): LoopDelay => {
    const nowMs = clock.monotonicMs();
    if (told === undefined || nowMs - told.atMs >= DELAY_MS) told = { atMs: nowMs, delay: loop.take() };
    return told.delay;
  };

  app.get(
    '/api/v1/system',
    {
      config: { access: { scope: 'admin' } },
      schema: {
        operationId: 'getSystem',
        tags: ['health'],
        summary: 'The server, its recorders and its disks',
        response: { 200: json('How they are.', systemSchema), ...errorResponses('STORAGE_FAILED') },
      },
    },
    async () => {
      const [reports, problems] = await Promise.all([disks.reports(), findUnwell(context)]);
      const nowMs = clock.nowMs();
      return {
        version,
        node: process.version,
        started_at: timeText(startedMs),
        now: timeText(nowMs),
        auth: config.state.config.auth.enabled,
        // Only admins come here (docs/design/door.md, D10).
        data: channels.data.location,
        server: serverAnswer(loopDelay()),
        recorders: pool.recorders().map(recorderAnswer),
        disks: reports.map((report) => diskAnswer(report, nowMs)),
        problems,
      };
    },
  );
};

function serverAnswer(delay: LoopDelay): SystemAnswer['server'] {
  const { user, system } = process.cpuUsage();
  return { resident_bytes: process.memoryUsage.rss(), cpu_sec: (user + system) / 1e6, event_loop_delay: delayAnswer(delay) };
}

function recorderAnswer(status: RecorderStatus): SystemAnswer['recorders'][number] {
  const { index, state, pid, startedAt, restarts, streams, residentBytes, cpuSec, eventLoopDelay } = status;
  return {
    ...{ index, state, pid: pid ?? null, started_at: startedAt?.toISOString() ?? null, restarts, streams },
    ...{ resident_bytes: residentBytes, cpu_sec: cpuSec, event_loop_delay: delayAnswer(eventLoopDelay) },
  };
}

const delayAnswer = ({ meanSec, p99Sec, maxSec }: LoopDelay): z.output<typeof delaySchema> => ({
  mean_sec: meanSec,
  p99_sec: p99Sec,
  max_sec: maxSec,
});

function diskAnswer(disk: DiskReport, nowMs: number): SystemAnswer['disks'][number] {
  return {
    name: disk.name,
    free_bytes: disk.freeBytes,
    total_bytes: disk.totalBytes,
    reserved_bytes: disk.reservedBytes,
    streams: disk.streams,
    archive_bytes: disk.archiveBytes,
    write_bytes_per_sec: Math.round(disk.writeBytesPerSec),
    forecast: disk.forecast,
    full_at: disk.fullInSec === undefined ? null : timeText(nowMs + disk.fullInSec * 1000),
    held_bytes: disk.heldBytes ?? null,
  };
}
