/**
 * `file:PATH`: a transport stream from a file, in real time as a live sender would send it, or as fast as it is taken. Bytes are delivered as they
 * are (192 and 204-byte packets too), unless it loops: then time stamps and counters go on from round to round. One block is in memory at a time.
 */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { delay, type ErrorCode } from '../../base/index.js';
import { PACKET_SIZE, SYNC_BYTE } from '../../mpegts/index.js';
import { Gate, reasonOf, systemCode } from '../gate.js';
import type { OpenOptions, Source, SourceSink, SourceStats } from '../source.js';
import { redactUrl } from '../sourceUrl.js';
import { findSync, type Layout } from '../sync.js';
import { parseFileUrl, type FileTarget } from './fileUrl.js';
import { Pacer } from './pacer.js';
import { LoopRestamper } from './restamp.js';

const BLOCK_BYTES = 256 * 1024;
/** What is due within this is sent at once: timers are no finer. */
const GRAIN_MS = 10;

/**
 * Opens a `file:` source.
 * @throws LivetapeError SOURCE_INVALID
 */
export function openFile(url: string, options: OpenOptions): Source {
  return new FileSource(url, parseFileUrl(url), options);
}

class FileSource implements Source {
  readonly url: string;
  readonly #target: FileTarget;
  readonly #options: OpenOptions;
  readonly #gate = new Gate();
  #running: Promise<void> | undefined;

  constructor(url: string, target: FileTarget, options: OpenOptions) {
    this.url = redactUrl(url);
    this.#target = target;
    this.#options = options;
  }

  get stats(): SourceStats {
    return this.#gate.stats;
  }

  start(sink: SourceSink): void {
    if (this.#gate.start(sink)) this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#gate.close();
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Never rejects: what goes wrong is the reason of `ended`. */
  async #run(): Promise<void> {
    let file: FileHandle | undefined;
    try {
      // O_NONBLOCK: opening a named pipe that nobody writes to would wait for ever
      file = await open(this.#target.path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      if (!(await file.stat()).isFile()) {
        this.#fail('SOURCE_FAILED', 'it is not a file');
        return;
      }
      await this.#play(file);
    } catch (error) {
      const isMissing = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(systemCode(error) ?? '');
      this.#fail(isMissing ? 'SOURCE_NOT_FOUND' : 'SOURCE_FAILED', reasonOf(error), error);
    } finally {
      // nothing was written, so a failure to close loses nothing
      await file?.close().catch((error: unknown) => this.#options.log.warn({ source: this.url, reason: reasonOf(error) }, 'cannot close'));
    }
  }

  #fail(code: ErrorCode, why: string, cause?: unknown): void {
    this.#gate.failed(code, `source ${this.url}: ${why}`, cause);
  }

  async #play(file: FileHandle): Promise<void> {
    const { path, loop, pace } = this.#target;
    const block = new Uint8Array(BLOCK_BYTES);
    const first = await file.read(block, 0, BLOCK_BYTES, 0);
    const layout = findSync(block.subarray(0, first.bytesRead), 0, first.bytesRead < BLOCK_BYTES);
    if (!layout) {
      this.#fail('SOURCE_NOT_TS', first.bytesRead === 0 ? 'it is empty' : 'it is not a transport stream');
      return;
    }
    this.#gate.connected(`${path}${loop ? ', looped' : ''}`);
    const player = new Player(this.#gate, this.#options, layout, pace ? new Pacer() : undefined, loop ? new LoopRestamper() : undefined);
    await player.round(file, block);
    if (pace && !player.hasClock) this.#options.log.warn({ source: this.url }, 'the file has no time stamps to be paced by');
    while (loop && this.#gate.isOpen && player.rewind()) {
      if ((await player.round(file, block)) > 0) continue;
      this.#fail('SOURCE_FAILED', 'it was emptied while it was played');
      return;
    }
    if (loop) this.#fail('SOURCE_FAILED', 'it cannot be looped: it has no time stamps that could go on');
    else this.#gate.ended('end of file');
  }
}

/** Walks through the packets of a file, round after round. */
class Player {
  readonly #gate: Gate;
  readonly #options: OpenOptions;
  readonly #layout: Layout;
  readonly #pacer: Pacer | undefined;
  readonly #restamper: LoopRestamper | undefined;
  #startMs: number | undefined;

  constructor(gate: Gate, options: OpenOptions, layout: Layout, pacer: Pacer | undefined, restamper: LoopRestamper | undefined) {
    this.#gate = gate;
    this.#options = options;
    this.#layout = layout;
    this.#pacer = pacer;
    this.#restamper = restamper;
  }

  get hasClock(): boolean {
    return this.#pacer?.hasClock ?? false;
  }

  /** Prepares for the next round; false when there can be none. */
  rewind(): boolean {
    return this.#restamper?.nextRound() ?? false;
  }

  /**
   * From the beginning of the file to its end; sooner when the gate closes. In a loop, what is broken off at either end is left out.
   * @returns bytes read
   */
  async round(file: FileHandle, block: Uint8Array): Promise<number> {
    // an M2TS packet begins four bytes before its sync byte
    const lead = this.#layout.stride === 192 ? Math.min(4, this.#layout.offset) : 0;
    let filePosition = this.#restamper ? this.#layout.offset - lead : 0;
    const startPosition = filePosition;
    let sync = this.#layout.offset - filePosition;
    let have = 0;
    while (this.#gate.isOpen) {
      const { bytesRead } = await file.read(block, have, block.length - have, filePosition);
      if (bytesRead === 0) break;
      filePosition += bytesRead;
      have += bytesRead;
      const bytes = block.subarray(0, have);
      if (!this.#pacer && !this.#restamper) {
        await this.#deliver(bytes);
        have = 0;
        continue;
      }
      const { done, nextSync } = await this.#walk(bytes, sync);
      block.copyWithin(0, done, have);
      have -= done;
      sync = nextSync - done;
    }
    if (!this.#restamper) await this.#deliver(block.subarray(0, have));
    return filePosition - startPosition;
  }

  /** Sends the packets of a block, each when it is due. `done`: bytes sent; `nextSync`: where the packet that goes on in the next block has its sync byte. */
  async #walk(bytes: Uint8Array, firstSync: number): Promise<{ done: number; nextSync: number }> {
    let sent = 0;
    let at = firstSync;
    while (at + PACKET_SIZE <= bytes.length) {
      if (bytes[at] !== SYNC_BYTE) {
        // damage: it is sent as it is, and packets are looked for behind it
        at = findSync(bytes, at, false)?.offset ?? Math.max(at + 1, bytes.length - PACKET_SIZE + 1);
        continue;
      }
      this.#restamper?.packet(bytes, at);
      const dueMs = this.#pacer?.dueMs(bytes, at);
      const waitMs = dueMs === undefined ? 0 : this.#untilMs(dueMs);
      if (waitMs > GRAIN_MS) {
        await this.#deliver(bytes.subarray(sent, at));
        sent = at;
        await delay(this.#options.clock, waitMs, this.#gate.signal);
        if (!this.#gate.isOpen) return { done: sent, nextSync: at };
      }
      at += this.#layout.stride;
    }
    const end = Math.min(at, bytes.length);
    await this.#deliver(bytes.subarray(sent, end));
    return { done: end, nextSync: at };
  }

  /** Against the moment the first clock value was sent, so that late timers do not add up. */
  #untilMs(dueMs: number): number {
    const nowMs = this.#options.clock.monotonicMs();
    this.#startMs ??= nowMs - dueMs;
    return this.#startMs + dueMs - nowMs;
  }

  async #deliver(bytes: Uint8Array): Promise<void> {
    this.#gate.data(bytes);
    await this.#gate.room();
  }
}
