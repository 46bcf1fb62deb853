/** What the HTTP interface answers with, as docs/reference/http.md and /openapi.json say. Times are RFC 3339 in UTC, sizes bytes. */

/** Why something does not go. */
export interface Problem {
  readonly code: string;
  readonly message: string;
}

export type GapReason = 'signal' | 'restart' | 'disk' | 'overflow' | 'clock' | 'source_switch';

/** A span of time with no media. */
export interface Gap {
  readonly from: string;
  readonly to: string;
  /** Nanoseconds. */
  readonly duration: number;
  readonly reason: GapReason;
}

export interface Recording {
  readonly status: 'recording' | 'stopped' | 'failed';
  readonly started_at: string;
  readonly stopped_at: string | null;
  readonly segment_dir: string | null;
}

export interface Track {
  readonly pid: number;
  readonly role: 'video' | 'audio' | 'data';
  readonly codec: string;
  readonly language: string | null;
}

export interface StreamStatus {
  /** It is in livetape.yaml; else it only has an archive. */
  readonly configured: boolean;
  readonly recording: Recording | null;
  /** Why it is not recorded as the file asks; it is tried again. */
  readonly error: Problem | null;
  readonly source: {
    readonly url: string;
    readonly state: 'connecting' | 'connected' | 'lost' | 'ended';
    readonly detail: string;
    readonly received_bytes: number;
    readonly connections: number;
  } | null;
  readonly signal: 'waiting' | 'present' | 'lost' | null;
  readonly program: { readonly number: number; readonly tracks: readonly Track[] } | null;
  readonly programs: readonly number[];
  readonly restricted: boolean;
  readonly restarts: number;
  readonly last_gap: Gap | null;
  /** The gap that goes on now. */
  readonly open_gap: { readonly from: string; readonly reason: GapReason } | null;
  /** Bits per second that come; `history` one value for each 5 s of the last two minutes, newest last. */
  readonly input: { readonly bitrate: number; readonly history: readonly number[] } | null;
  /** Counted since the recording was begun, by kind. */
  readonly errors: Readonly<Record<string, number>> | null;
  readonly retention: { readonly pruned_segments: number; readonly pruned_bytes: number; readonly clock_in_doubt: boolean } | null;
}

export interface Dvr {
  readonly enabled: boolean;
  readonly segment_duration: number;
  readonly retention_sec: number;
  readonly max_size_gb: number;
  readonly storage_path: string;
}

/** A stream of the server. */
export interface Stream {
  readonly code: string;
  readonly source: string;
  readonly title: string;
  readonly template: string | null;
  /** Null when it is not in livetape.yaml. */
  readonly dvr: Dvr | null;
  readonly status: StreamStatus;
}

/** What is sent to make, replace or change a stream. */
export interface StreamEdit {
  readonly source?: string | null;
  readonly title?: string | null;
  readonly dvr?: Partial<Dvr> | null;
}

/** A line for each archive (`GET /api/v1/recordings`). */
export interface ArchiveLine {
  readonly stream_code: string;
  readonly dvr_range: { readonly started_at: string; readonly last_segment_at: string } | null;
  readonly segment_count: number;
  readonly total_size_bytes: number;
  readonly last_day: { readonly gaps: number; readonly gap_sec: number };
  readonly problem: Problem | null;
}

/** `GET /api/v1/recordings/{code}/timeline`. */
export interface TimelineAnswer {
  readonly stream_code: string;
  readonly from: string;
  readonly to: string;
  /** Of the whole archive; null when there is none. */
  readonly oldest: string | null;
  readonly newest: string | null;
  readonly spans: readonly { readonly from: string; readonly to: string }[];
  readonly gaps: readonly { readonly from: string; readonly to: string; readonly reason: GapReason; readonly count: number }[];
  readonly errors: readonly {
    readonly from: string;
    readonly to: string;
    readonly count: number;
    readonly kinds: Readonly<Record<string, number>>;
  }[];
}

/** A window that is kept for good. */
export interface Keep {
  readonly stream_code: string;
  readonly name: string;
  readonly started_at: string | null;
  readonly last_segment_at: string | null;
  readonly segment_count: number | null;
  readonly total_size_bytes: number;
  readonly segment_dir: string | null;
  readonly missing_count: number | null;
  readonly damage: string | null;
}

export interface ProbeTrack extends Track {
  readonly bitrate: number | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly frame_rate: number | null;
  readonly scrambled_packets: number;
  readonly gop: { readonly keyframes: number; readonly mean_sec: number | null; readonly max_sec: number | null } | null;
}

/** What was found in a source. */
export interface ProbeReport {
  readonly source: string;
  readonly detail: string;
  readonly duration_sec: number;
  readonly bitrate: number | null;
  readonly errors: Readonly<Record<string, number>>;
  readonly programs: readonly { readonly number: number; readonly tracks: readonly ProbeTrack[] }[];
}

export type Scope = 'admin' | 'api' | 'publish' | 'playback' | 'metrics';

/** What a credential opens (`GET /api/v1/whoami`). */
export interface Grant {
  /** `local`: no credentials are asked for. */
  readonly kind: 'local' | 'token' | 'signed';
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly streams: readonly string[];
  readonly expires_at: string | null;
}

export interface Token {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly streams: readonly string[];
  readonly created_at: string;
  readonly expires_at: string | null;
}

export interface SignedLink {
  readonly token: string;
  readonly expires_at: string;
  readonly path: string | null;
}

export interface Hook {
  readonly id: string;
  readonly url: string;
  readonly events: readonly string[] | null;
  readonly streams: readonly string[] | null;
  readonly has_secret: boolean;
  readonly batch: number | null;
  readonly batch_ms: number | null;
  readonly restricted: boolean;
  readonly status: {
    readonly queued: number;
    readonly dead: number;
    readonly sent: number;
    readonly failed: number;
    readonly dropped: number;
    readonly last_success_at: string | null;
    readonly last_error: { readonly at: string; readonly message: string } | null;
  };
}

/** What is sent to make or replace a hook. */
export interface HookEdit {
  readonly url: string;
  readonly events?: readonly string[] | null;
  readonly streams?: readonly string[] | null;
  /** The one that is there stays when nothing is said; null takes it away. */
  readonly secret?: string | null;
  readonly batch?: number | null;
  readonly batch_ms?: number | null;
  readonly restricted?: boolean;
}

export interface Delay {
  readonly mean_sec: number;
  readonly p99_sec: number;
  readonly max_sec: number;
}

/** `GET /api/v1/system`. */
export interface System {
  readonly version: string;
  readonly node: string;
  readonly started_at: string;
  readonly now: string;
  readonly auth: boolean;
  /** The folder of the archives. */
  readonly data: string;
  readonly server: { readonly resident_bytes: number; readonly cpu_sec: number; readonly event_loop_delay: Delay };
  readonly recorders: readonly {
    readonly index: number;
    readonly state: 'starting' | 'running' | 'lost';
    readonly pid: number | null;
    readonly started_at: string | null;
    readonly restarts: number;
    readonly streams: number;
    readonly resident_bytes: number;
    readonly cpu_sec: number;
    readonly event_loop_delay: Delay;
  }[];
  readonly disks: readonly {
    readonly name: string;
    readonly free_bytes: number;
    readonly total_bytes: number;
    readonly reserved_bytes: number;
    readonly streams: number;
    readonly archive_bytes: number;
    readonly write_bytes_per_sec: number;
    /** `holds`: retention ends the growth before the disk is full. */
    readonly forecast: 'fills' | 'holds' | 'unknown';
    readonly full_at: string | null;
    readonly held_bytes: number | null;
  }[];
  readonly problems: readonly {
    readonly what: 'stream' | 'recorder' | 'disk' | 'config' | 'tls';
    readonly name: string;
    readonly code: string | null;
    readonly message: string;
  }[];
}

/** What happens (`GET /api/v1/events`): `type` is the event's name, the rest what it carries. */
export interface ServerEvent {
  readonly type: EventName;
  readonly at: string;
  /** Absent of `reset` alone. */
  readonly stream_code?: string;
  readonly recording?: Recording;
  readonly error?: Problem | string | null;
  readonly segment?: {
    readonly index: number;
    readonly uri: string;
    readonly started_at: string;
    readonly duration_sec: number;
    readonly size_bytes: number;
    readonly discontinuity: boolean;
    readonly gap: Gap | null;
  };
  readonly count?: number;
  readonly size_bytes?: number;
  readonly from?: string;
  readonly reason?: string;
  readonly gap?: Gap | null;
  readonly healed?: readonly { readonly found: string; readonly done: string; readonly file: string; readonly detail: string }[];
}

export const EVENT_NAMES = [
  'recording.started',
  'recording.stopped',
  'recording.failed',
  'archive.healed',
  'segment.written',
  'segment.pruned',
  'gap.opened',
  'gap.closed',
  'source.ended',
  'reset',
] as const;
export type EventName = (typeof EVENT_NAMES)[number];
