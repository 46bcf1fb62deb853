/**
 * `udp://` and `rtp://`: datagrams of MPEG-TS, raw or in RTP. There is no connection: `connected` is the first datagram of any after a
 * silence, `lost` five seconds without one. An address in use or an interface that is not there may heal, so binding is tried again; a port that
 * this process may not have does not.
 */
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { Gate, reasonOf, systemCode } from '../gate.js';
import { Reconnect } from '../reconnect.js';
import { SilenceTimer } from '../silence.js';
import type { OpenOptions, Source, SourceSink, SourceStats } from '../source.js';
import { redactUrl } from '../sourceUrl.js';
import { DatagramReader } from './datagram.js';
import { kernelDrops } from './kernelDrops.js';
import { RtpOrder } from './rtp.js';
import { bindingOf, parseUdpUrl, type UdpTarget } from './udpUrl.js';

/** Silence after which the source is lost. */
const SILENCE_MS = 5_000;
/** What the kernel is asked to keep for us while the process is busy: 8 s of 8 Mbps. */
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;
/** Less than this is worth a line in the log. */
const RECEIVE_BUFFER_ENOUGH_BYTES = 1024 * 1024;

/**
 * Opens a `udp://` or `rtp://` source.
 * @throws LivetapeError SOURCE_INVALID
 */
export function openUdp(url: string, options: OpenOptions): Source {
  return new UdpSource(url, parseUdpUrl(url), options);
}

class UdpSource implements Source {
  readonly url: string;
  readonly #target: UdpTarget;
  readonly #options: OpenOptions;
  readonly #gate = new Gate();
  readonly #reader = new DatagramReader();
  readonly #order: RtpOrder;
  readonly #silence: SilenceTimer;
  readonly #reconnect: Reconnect;
  #socket: Socket | undefined;
  #closing: Promise<void> | undefined;
  #binding = false;
  #receiving = false;
  /** Where the socket is bound. */
  #bound: { readonly address: string; readonly port: number } | undefined;
  /** Datagrams that the kernel dropped: of this socket, and of those before it. */
  #drops: number | undefined;
  #dropsBefore = 0;

  constructor(url: string, target: UdpTarget, options: OpenOptions) {
    this.url = redactUrl(url);
    this.#target = target;
    this.#options = options;
    this.#order = new RtpOrder(
      options.clock,
      (payload) => this.#gate.data(payload),
      (packets) => (this.#gate.stats.rtpLostPackets += packets),
    );
    this.#silence = new SilenceTimer(options.clock, SILENCE_MS, () => this.#silent());
    this.#reconnect = new Reconnect(options.clock, () => this.#open());
  }

  get stats(): SourceStats {
    return { ...this.#gate.stats, kernelDrops: this.#kernelDrops() };
  }

  start(sink: SourceSink): void {
    if (this.#gate.start(sink)) this.#open();
  }

  close(): Promise<void> {
    this.#gate.close();
    this.#closing ??= this.#release();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Over all sockets of this source; what one dropped since the latest look is not known when it has gone. */
  #kernelDrops(): number | undefined {
    if (this.#bound !== undefined) {
      this.#drops = kernelDrops.dropsOf(this.#options.clock, this.#bound.address, this.#bound.port) ?? this.#drops;
    }
    return this.#drops === undefined ? undefined : this.#dropsBefore + this.#drops;
  }

  #open(): void {
    const { family, host } = this.#target;
    if (isIP(host) !== 0) {
      if (this.#isAllowed()) this.#bind(this.#target);
      return;
    }
    // looked up before there is a socket: one that is still looking up cannot be closed
    const lookUp = this.#options.guard?.lookup ?? lookup;
    lookUp(host, { family: family === 'udp6' ? 6 : 4 }, (error: Error | null, found) => {
      if (!this.#gate.isOpen) return;
      // with an error nothing is found, whatever the type says
      if (error) return this.#failed(error);
      // all of them are told only to who asks for all
      const address = typeof found === 'string' ? found : (found[0]?.address ?? '');
      this.#bind({ ...this.#target, host: address });
    });
  }

  /** What is bound to and joined, where it is said as an address (E1): every address of the machine is not one that may be reached. */
  #isAllowed(): boolean {
    const { guard } = this.#options;
    const { host, group, interfaceIp } = this.#target;
    try {
      if (group !== undefined) guard?.checkGroup(group);
      else guard?.check(host);
      if (interfaceIp !== undefined) guard?.check(interfaceIp);
      return true;
    } catch (error) {
      if (!this.#gate.refused(error)) throw error;
      return false;
    }
  }

  #bind(target: UdpTarget): void {
    // reuseAddr for groups alone: with it a second process could take a unicast port away
    const socket = createSocket({ type: target.family, reuseAddr: target.group !== undefined });
    this.#socket = socket;
    this.#binding = true;
    const fail = (error: unknown): void => {
      this.#binding = false;
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      socket.close();
      this.#failed(error);
    };
    socket.on('error', fail);
    socket.on('message', (datagram, from) => this.#received(datagram, from.address, from.port));
    try {
      const { address, join } = bindingOf(target);
      socket.bind({ port: target.port, address }, () => {
        this.#binding = false;
        if (this.#socket !== socket) return;
        try {
          if (join) socket.addMembership(join.group, join.on);
        } catch (error) {
          fail(error);
          return;
        }
        this.#growReceiveBuffer(socket);
        this.#bound = socket.address();
        this.#silence.start();
      });
    } catch (error) {
      fail(error);
    }
  }

  #received(datagram: Buffer, fromHost: string, fromPort: number): void {
    if (!this.#gate.isOpen) return;
    const read = this.#reader.read(datagram);
    if (read.kind === 'foreign') {
      this.#gate.stats.foreignDatagrams += 1;
      return;
    }
    if (this.#receiving) this.#silence.touch();
    else {
      this.#receiving = true;
      this.#silence.start();
      this.#gate.connected(`${read.kind === 'rtp' ? 'RTP' : 'MPEG-TS'} from ${fromHost}:${fromPort}`);
    }
    this.#reconnect.flowing();
    if (read.kind === 'rtp') this.#order.push(read.packet);
    else this.#gate.data(datagram);
  }

  #silent(): void {
    this.#receiving = false;
    const { foreignDatagrams } = this.#gate.stats;
    const others = foreignDatagrams > 0 ? ` (${foreignDatagrams} that are not MPEG-TS so far)` : '';
    this.#gate.lost(`no datagram of MPEG-TS for ${SILENCE_MS / 1000} s${others}`);
  }

  #failed(error: unknown): void {
    this.#silence.stop();
    this.#bound = undefined;
    if (this.#drops !== undefined) this.#dropsBefore += this.#drops;
    this.#drops = this.#drops === undefined ? undefined : 0;
    this.#receiving = false;
    if (!this.#gate.isOpen || this.#gate.refused(error)) return;
    const reason = reasonOf(error);
    if (systemCode(error) === 'EACCES' || systemCode(error) === 'EPERM') {
      this.#gate.failed('SOURCE_FAILED', `source ${this.url}: ${reason}`, error);
      return;
    }
    const retryMs = this.#reconnect.retry();
    this.#options.log.warn({ source: this.url, reason, retryMs: Math.round(retryMs) }, 'cannot receive; trying again');
    this.#gate.lost(reason);
  }

  /** As large as the kernel allows: it holds what comes while the process is busy. Never fails. */
  #growReceiveBuffer(socket: Socket): void {
    // Linux gives what is allowed; others refuse what is too much
    for (let bytes = RECEIVE_BUFFER_BYTES; bytes >= RECEIVE_BUFFER_ENOUGH_BYTES / 4; bytes /= 2) {
      try {
        socket.setRecvBufferSize(bytes);
        break;
      } catch (error) {
        this.#options.log.debug({ source: this.url, bytes, reason: reasonOf(error) }, 'receive buffer refused');
      }
    }
    let givenBytes: number;
    try {
      // Linux answers with twice what it gives, for its bookkeeping (socket(7), SO_RCVBUF)
      givenBytes = socket.getRecvBufferSize() / (process.platform === 'linux' ? 2 : 1);
    } catch (error) {
      this.#options.log.debug({ source: this.url, reason: reasonOf(error) }, 'the receive buffer does not tell its size');
      return;
    }
    if (givenBytes >= RECEIVE_BUFFER_ENOUGH_BYTES) return;
    const remedy = process.platform === 'linux' ? `sysctl -w net.core.rmem_max=${RECEIVE_BUFFER_BYTES}` : 'raise kern.ipc.maxsockbuf';
    this.#options.log.warn(
      { source: this.url, givenBytes, remedy },
      'the receive buffer is small; datagrams may be lost when the machine is busy',
    );
  }

  async #release(): Promise<void> {
    this.#silence.stop();
    this.#reconnect.stop();
    this.#order.close();
    const socket = this.#socket;
    this.#socket = undefined;
    this.#bound = undefined;
    if (!socket) return;
    // dgram forgets a close that is asked for before bind is through, when bind then fails
    if (this.#binding) await new Promise<void>((resolve) => socket.once('listening', resolve).once('error', () => resolve()));
    await new Promise<void>((resolve) => socket.close(resolve));
  }
}
