/** A probe's report as the command line and the HTTP interface write it: snake case, no key without a value, no more digits than are meant. */
import type { ProbeReport } from './probe.js';

/** The report as JSON; what is not known is `null`. */
export function probeJson(report: ProbeReport): {
  source: string;
  detail: string;
  received_bytes: number;
  first_byte_sec: number;
  duration_sec: number;
  bitrate: number | null;
  packets: number;
  null_packets: number;
  errors: { continuity: number; transport_error: number; sync_bytes: number; scrambled: number; crc: number; rtp_lost: number };
  programs: {
    number: number;
    pmt_pid: number;
    pcr_pid: number | null;
    tracks: {
      pid: number;
      role: 'video' | 'audio' | 'data';
      stream_type: number;
      codec: string;
      language: string | null;
      bitrate: number | null;
      scrambled_packets: number;
      width: number | null;
      height: number | null;
      frame_rate: number | null;
      gop: { keyframes: number; mean_sec: number | null; max_sec: number | null } | null;
    }[];
  }[];
} {
  const { errors } = report;
  return {
    source: report.source,
    detail: report.detail,
    received_bytes: report.receivedBytes,
    first_byte_sec: thousandths(report.firstByteSec),
    duration_sec: thousandths(report.durationSec),
    bitrate: whole(report.bitrate),
    packets: report.packets,
    null_packets: report.nullPackets,
    errors: {
      continuity: errors.continuity,
      transport_error: errors.transportError,
      sync_bytes: errors.syncSkippedBytes,
      scrambled: errors.scrambled,
      crc: errors.crc,
      rtp_lost: report.stats.rtpLostPackets,
    },
    programs: report.programs.map(({ number, pmtPid, pcrPid, tracks }) => ({
      number,
      pmt_pid: pmtPid,
      pcr_pid: pcrPid ?? null,
      tracks: tracks.map((track) => ({
        pid: track.pid,
        role: track.role,
        stream_type: track.streamType,
        codec: track.codec,
        language: track.language ?? null,
        bitrate: whole(track.bitrate),
        scrambled_packets: track.scrambledPackets,
        width: track.width ?? null,
        height: track.height ?? null,
        frame_rate: thousandths(track.frameRate),
        gop: track.gop
          ? { keyframes: track.gop.keyframes, mean_sec: thousandths(track.gop.meanSec), max_sec: thousandths(track.gop.maxSec) }
          : null,
      })),
    })),
  };
}

/** Bits per second. */
function whole(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value);
}

/** Seconds to the millisecond, frames per second as broadcasters write them (29.97). */
function thousandths(value: number): number;
function thousandths(value: number | undefined): number | null;
function thousandths(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value * 1000) / 1000;
}
