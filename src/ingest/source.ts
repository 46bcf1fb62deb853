/**
 * What a source is: something that is started once, delivers bytes as they come, says what happens to its
 * connection, and goes away at once when closed. It knows nothing of packets and decides nothing: it
 * reconnects by itself until it is closed or can never deliver again. Every source runs through
 * ingest/sourceContract.ts.
 */
import type { Readable } from 'node:stream';
import type { Clock, Closable, Logger } from '../base/index.js';
import type { EgressGuard } from '../egress/index.js';

/** Who is told. Calls are synchronous and never throw. */
export interface SourceSink {
  /** Bytes, valid during the call only. */
  data(chunk: Uint8Array): void;
  /** Undefined while there is room; else a promise to be waited for before reading on. Sources that cannot wait (datagrams) ignore it. */
  room(): Promise<void> | undefined;
  /** The first bytes of a connection are about to come. */
  connected(detail: string): void;
  /** The connection is gone or silent; the source goes on trying. */
  lost(reason: string): void;
  /** Nothing more will ever come. `reason` is for people. `error` says that it failed, and with which code. */
  ended(reason: string, error?: Error): void;
}

/** Counters of a source, for status and metrics. */
export interface SourceStats {
  /** Bytes handed on. */
  readonly receivedBytes: number;
  /** Connections made, the first counted. */
  readonly connections: number;
  /** RTP packets missing by their sequence numbers. */
  readonly rtpLostPackets: number;
  /** Datagrams that were neither TS nor RTP. */
  readonly foreignDatagrams: number;
  /** Datagrams that the kernel dropped because they were not read in time, as of a second ago; undefined for what is no datagram, and where the system does not tell. */
  readonly kernelDrops: number | undefined;
}

/** A source, open or not yet. */
export interface Source extends Closable {
  /** The URL without secrets. */
  readonly url: string;
  readonly stats: SourceStats;
  /** Begins. May be called once. What cannot work for ever (a bad host name is not that) shows as `ended` with an error. */
  start(sink: SourceSink): void;
}

/** What a source is opened with. */
export interface OpenOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** What `-` reads; the process's standard input by default. */
  readonly stdin?: Readable;
  /**
   * Where it may connect to (docs/design/door.md, E1, E2): what is beyond that ends it for good with ADDRESS_REFUSED, since one that tried again for ever would be
   * a port scanner's friend. With it neither files nor standard input are opened.
   */
  readonly guard?: EgressGuard | undefined;
}
