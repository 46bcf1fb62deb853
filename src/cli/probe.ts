/** `livetape probe SOURCE`: looks at a source for some seconds and says what is in it. Nothing is recorded. */
import type { Command } from 'commander';
import { silentLogger } from '../base/index.js';
import { probeJson, probeSource, type ProbeReport } from '../ingest/index.js';
import type { TrackReport } from '../mpegts/index.js';
import type { CliIo } from './io.js';
import { showBitrate, showSize, table } from './output.js';
import { endOnSignals } from './signals.js';

/** Adds the command. */
export function addProbe(program: Command, io: CliIo): void {
  program
    .command('probe')
    .description('what is in a source: programs, codecs, bitrates, keyframes, errors')
    .argument('<SOURCE>', 'a URL, or - for standard input')
    .option('--json', 'as JSON')
    .action(async (source: string, { json = false }: { json?: boolean }) => {
      const stopping = new AbortController();
      const stopListening = endOnSignals(io, stopping);
      try {
        const report = await probeSource(source, { clock: io.clock, log: silentLogger, signal: stopping.signal });
        io.out(json ? `${JSON.stringify(probeJson(report))}\n` : probeText(report));
      } finally {
        stopListening();
      }
    });
}

function probeText(report: ProbeReport): string {
  const { errors, stats } = report;
  const seen = [
    [errors.continuity, 'continuity errors'],
    [errors.transportError, 'packets flagged as damaged'],
    [errors.syncSkippedBytes, 'bytes out of sync'],
    [errors.scrambled, 'scrambled packets'],
    [errors.crc, 'tables with a wrong CRC'],
    [stats.rtpLostPackets, 'RTP packets lost'],
  ].filter(([count]) => count !== 0);
  const lines: [string, string][] = [
    ['source', `${report.source} (${report.detail})`],
    [
      'seen',
      `${report.durationSec.toFixed(1)} s, ${showSize(report.receivedBytes)}, the first byte after ${report.firstByteSec.toFixed(2)} s`,
    ],
    ['bitrate', `${rate(report.bitrate)}${report.nullPackets > 0 ? `, ${percent(report.nullPackets / report.packets)} null packets` : ''}`],
    ['errors', seen.length === 0 ? 'none' : seen.map(([count, what]) => `${count} ${what}`).join(', ')],
  ];
  const programs = report.programs.map(({ number, pmtPid, pcrPid, tracks }) => {
    const heading = `\nprogram ${number}: PMT on PID ${pmtPid}, ${pcrPid === undefined ? 'and it was not seen' : `PCR on PID ${pcrPid}`}\n`;
    return tracks.length === 0
      ? heading
      : `${heading}${table(['PID', 'KIND', 'CODEC', 'LANGUAGE', 'BITRATE', 'PICTURE', 'KEYFRAMES'], tracks.map(row))}`;
  });
  return `${lines.map(([name, value]) => `${name.padEnd(9)}${value}`).join('\n')}\n${programs.join('')}`;
}

function row(track: TrackReport): string[] {
  const { pid, role, codec, language, bitrate, width, height, frameRate, gop, scrambledPackets } = track;
  const size = width !== undefined && height !== undefined ? `${width}x${height}` : '';
  const frames = frameRate === undefined ? '' : ` ${Number(frameRate.toFixed(3))} fps`;
  const keyframes =
    gop?.meanSec === undefined
      ? gop
        ? `${gop.keyframes} seen`
        : '-'
      : `every ${gop.meanSec.toFixed(2)} s, at most ${gop.maxSec?.toFixed(2)} s`;
  const kind = scrambledPackets > 0 ? `${role}, scrambled` : role;
  return [String(pid), kind, codec, language ?? '-', rate(bitrate), `${size}${frames}`.trim() || '-', keyframes];
}

const rate = (bitrate: number | undefined): string => (bitrate === undefined ? '-' : showBitrate(bitrate));
const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;
