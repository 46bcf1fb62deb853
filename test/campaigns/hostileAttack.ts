/**
 * Everybody who means harm, in a process of its own (hostileRounds.ts starts it): sockets that send a byte a second, sockets that read one, logins with wrong credentials, and requests
 * that are bombs. Each kind comes from addresses of its own within 127.0.0.0/8. Ends after its time and prints what came of it as JSON.
 */
import { connect, type Socket } from 'node:net';
import { BOMBS } from './hostileBombs.js';

/** What is to be done; the only argument, as JSON. */
export interface AttackPlan {
  readonly port: number;
  readonly seconds: number;
  /** So many that send slowly, and as many that read slowly. */
  readonly sockets: number;
  readonly loginsPerSecond: number;
  /** What is read slowly: paths that `token` opens. */
  readonly paths: readonly string[];
  readonly token: string;
  readonly adminToken: string;
}

/** What came of it. */
export interface AttackReport {
  /** Connections of slow senders that the server closed. */
  readonly sendersClosed: number;
  /** The same of slow readers; and how many were open at once. */
  readonly readersClosed: number;
  readonly readersOpen: number;
  /** Logins by status; `0` where the connection was closed without an answer. */
  readonly logins: Readonly<Record<string, number>>;
  /** Bombs that were sent. */
  readonly bombs: number;
  /** Bombs that were answered otherwise than they should be. */
  readonly wrong: readonly string[];
}

/** One address has fewer connections than it may. */
const PER_ADDRESS = 250;
const LOGIN_ADDRESSES = 20;
const LOGIN_SOCKETS = 200;
const TICK_MS = 10;
const BOMB_MS = 40;

const plan = JSON.parse(process.argv[2] ?? '{}') as AttackPlan;
const timers: NodeJS.Timeout[] = [];
const every = (ms: number, run: () => void): void => void timers.push(setInterval(run, ms));
let over = false;

const open = (localAddress: string): Socket => {
  const socket = connect({ port: plan.port, host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined);
  return socket;
};
const address = (base: number, n: number): string => `127.0.0.${base + Math.floor(n / PER_ADDRESS)}`;

/** Sends headers, or a body, byte by byte; comes again when it is closed. */
function slowSenders(): () => number {
  let closed = 0;
  const sockets: Socket[] = [];
  const begin = (n: number): void => {
    const socket = open(address(10, n));
    sockets[n] = socket;
    const body = `PUT /api/v1/streams/slow HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{`;
    socket.write(n % 2 === 0 ? 'GET /news/index.m3u8 HTTP/1.1\r\nHost: localhost\r\nX-Slow: ' : body);
    socket.resume();
    socket.once('close', () => {
      closed += 1;
      if (!over) setTimeout(() => begin(n), 1000);
    });
  };
  for (let n = 0; n < plan.sockets; n++) begin(n);
  every(1000, () => sockets.forEach((socket) => socket.writable && socket.write('a')));
  return () => closed;
}

/** Asks for much and reads a byte a second; comes again when it is closed. */
function slowReaders(): () => { closed: number; open: number } {
  let closed = 0;
  const sockets: Socket[] = [];
  const begin = (n: number): void => {
    const socket = open(address(40, n));
    sockets[n] = socket;
    const path = plan.paths[n % plan.paths.length] ?? '/';
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${plan.token}\r\nAccept-Encoding: ${n % 2 === 0 ? 'br' : 'identity'}\r\n\r\n`,
    );
    socket.once('close', () => {
      closed += 1;
      if (!over) setTimeout(() => begin(n), 1000);
    });
  };
  for (let n = 0; n < plan.sockets; n++) begin(n);
  let most = 0;
  every(1000, () => {
    sockets.forEach((socket) => socket.read(1) as unknown);
    most = Math.max(most, sockets.filter((socket) => !socket.destroyed && !socket.connecting).length);
  });
  return () => ({ closed, open: most });
}

/** Wrong bearer tokens, on the API and on playback. */
function logins(): Record<string, number> {
  const counts: Record<string, number> = {};
  const idle: number[] = Array.from({ length: LOGIN_SOCKETS }, (_, n) => n);
  const sockets: Socket[] = [];
  let due = 0;
  const attempt = (n: number): void => {
    let socket = sockets[n];
    if (socket === undefined || socket.destroyed || !socket.writable) {
      socket = open(`127.0.0.${80 + (n % LOGIN_ADDRESSES)}`);
      sockets[n] = socket;
    }
    const done = (status: string): void => {
      socket.off('data', read).off('close', gone);
      counts[status] = (counts[status] ?? 0) + 1;
      idle.push(n);
    };
    const read = (chunk: Buffer): void => {
      const head = chunk.toString('latin1', 0, 2000);
      if (/\r\nconnection: close\r\n/i.test(head)) socket.destroy();
      done(head.slice(9, 12));
    };
    const gone = (): void => done('0');
    socket.on('data', read).once('close', gone);
    const secret = `${Math.random().toString(36)}${'0'.repeat(43)}`.slice(2, 45).padEnd(43, 'a');
    const path = n % 2 === 0 ? '/api/v1/streams' : '/news/index.m3u8';
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer lt_aaaaaaaa_${secret}\r\n\r\n`);
  };
  every(TICK_MS, () => {
    due = Math.min(due + (plan.loginsPerSecond * TICK_MS) / 1000, LOGIN_SOCKETS);
    for (; due >= 1; due--) {
      const n = idle.shift();
      if (n === undefined) break;
      attempt(n);
    }
  });
  return counts;
}

/** Each bomb in its turn, on a connection of its own. */
function bombs(): { sent: () => number; wrong: ReadonlySet<string> } {
  const wrong = new Set<string>();
  let sent = 0;
  every(BOMB_MS, () => {
    const bomb = BOMBS[sent++ % BOMBS.length];
    if (bomb === undefined) return;
    const socket = open('127.0.0.70');
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      if (text.length < 20) text += chunk.toString('latin1', 0, 20);
      if (bomb.expected !== 'closed') socket.destroy();
    });
    socket.setTimeout(20_000, () => {
      wrong.add(`${bomb.name}: neither an answer nor the end within 20 s`);
      socket.destroy();
    });
    socket.once('close', () => {
      const status = text.slice(9, 12);
      if (!over && bomb.expected !== 'closed' && !bomb.expected.includes(status))
        wrong.add(`${bomb.name}: "${status}" instead of ${bomb.expected.join(' or ')}`);
    });
    for (const part of bomb.request(plan.adminToken)) socket.write(part);
  });
  return { sent: () => sent, wrong };
}

const senders = slowSenders();
const readers = slowReaders();
const loginCounts = logins();
const sentBombs = bombs();
setTimeout(() => {
  over = true;
  timers.forEach(clearInterval);
  const report: AttackReport = {
    sendersClosed: senders(),
    readersClosed: readers().closed,
    readersOpen: readers().open,
    logins: loginCounts,
    bombs: sentBombs.sent(),
    wrong: [...sentBombs.wrong],
  };
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
}, plan.seconds * 1000);
