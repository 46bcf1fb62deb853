/**
 * A recorder process (docs/design/server.md, R1): the library, and a socket on which the server says what to record. Started by ChildProcessDvrService with the socket's
 * path and its settings; not a command of its own.
 */
import { pino } from 'pino';
import { scrub, systemClock, toLivetapeError, type Logger } from './base/index.js';
import { EgressGuard } from './egress/index.js';
import { openSource } from './ingest/index.js';
import { createRecorder } from './livetape.js';
import { RecorderServer, type ConnectOptions, type RecorderSettings } from './recorder/index.js';

/** What cannot be written at once waits; beyond this it is dropped: a recorder waits for no reader of its log. */
const LOG_BYTES = 1024 * 1024;

const [path = '', settingsText = '{}'] = process.argv.slice(2);
const { index, root, version, minFreeGb, logLevel, orphanMs } = JSON.parse(settingsText) as RecorderSettings;

const lines = pino.destination({ dest: 2, sync: false, maxLength: LOG_BYTES });
// whoever read it may be gone before the recorder is
lines.on('error', () => undefined);
const log: Logger = pino(
  {
    level: logLevel,
    base: { recorder: index, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    hooks: { streamWrite: scrub },
  },
  lines,
);

try {
  const livetape = createRecorder({ root, minFreeGb, freeSpaceElsewhere: true, log, clock: systemClock });
  const parts = {
    dvr: livetape.dvr,
    checkSource: (source: string, { egress }: ConnectOptions) =>
      openSource(source, { clock: systemClock, log, guard: egress && new EgressGuard(egress) }).close(),
    connect: (source: string, bufferId: string, options: ConnectOptions) => livetape.connect(source, bufferId, options),
    close: () => livetape.close(),
    [Symbol.asyncDispose]: () => livetape.close(),
  };
  const server = await RecorderServer.listen({ path, version, parts, clock: systemClock, log, orphanMs });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void server.close());
  await server.ended;
  end(0);
} catch (error) {
  log.error({ err: error }, toLivetapeError(error, 'RECORDER_LOST', 'the recorder cannot begin').message);
  end(1);
}

/** Nothing is waited for any more: a medium that does not answer would hold the process for ever. */
function end(status: number): never {
  try {
    lines.flushSync();
  } catch {
    // nobody reads it
  }
  process.exit(status);
}
