/**
 * Datagrams that the kernel dropped because a socket's buffer was full: nothing else in the process can know of them. Linux tells in /proc/net/udp and
 * /proc/net/udp6 (proc_net(5): the last column); elsewhere nobody does. One look serves all sockets, and is taken only when somebody asks.
 */
import { readFile, readdir, readlink } from 'node:fs/promises';
import { endianness } from 'node:os';
import type { Clock } from '../../base/index.js';

/** Between two looks. */
const LOOK_EVERY_MS = 1000;

/** A socket of the table. */
export interface UdpRow {
  /** As the table writes it: address and port in hex. */
  readonly local: string;
  readonly inode: string;
  readonly drops: number;
}

/** Where the tables are read; in tests, from memory. */
export interface UdpTables {
  /** The text of /proc/net/udp and /proc/net/udp6. Rejects where there is none. */
  read(): Promise<string>;
  /** Inodes of this process' sockets, to tell them from those of others on the same address. */
  ownInodes(): Promise<ReadonlySet<string>>;
}

/** The rows of such a table; lines that are none are passed over. */
export function parseUdpTable(text: string): UdpRow[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local = '', , , , , , , , inode = ''] = fields;
    const drops = fields.at(-1) ?? '';
    if (fields.length < 13 || !/^[0-9A-F]+:[0-9A-F]{4}$/.test(local) || !/^\d+$/.test(inode) || !/^\d+$/.test(drops)) return [];
    return [{ local, inode, drops: Number(drops) }];
  });
}

/** Address and port as the table writes them: words of 32 bits as the machine has them in memory. Undefined for what is no address. */
export function udpTableAddress(address: string, port: number, littleEndian = endianness() === 'LE'): string | undefined {
  const bytes = address.includes(':') ? bytesOfIpv6(address) : address.split('.').map(Number);
  if ((bytes.length !== 4 && bytes.length !== 16) || !bytes.every((byte) => byte >= 0 && byte <= 255)) return undefined;
  const inOrder = bytes.map((_, i) => bytes[littleEndian ? i - (i % 4) + 3 - (i % 4) : i] ?? 0);
  const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');
  return `${inOrder.map((byte) => hex(byte, 2)).join('')}:${hex(port, 4)}`;
}

function bytesOfIpv6(address: string): number[] {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const words = (part: string): number[] => (part === '' ? [] : part.split(':').map((word) => parseInt(word, 16)));
  const [first, last] = [words(head), words(tail ?? '')];
  const filled =
    tail === undefined ? first : [...first, ...new Array<number>(Math.max(0, 8 - first.length - last.length)).fill(0), ...last];
  return filled.flatMap((word) => [Math.floor(word / 256), word % 256]);
}

/** The latest look at the tables. */
export class KernelDrops {
  readonly #tables: UdpTables;
  #rows = new Map<string, UdpRow[]>();
  #own: ReadonlySet<string> = new Set();
  #lookedAtMs = -Infinity;
  #looking = false;

  constructor(tables: UdpTables = PROC) {
    this.#tables = tables;
  }

  /** What the socket at this address had dropped by the latest look; undefined before the first, and where nobody tells. Asks for a new look when that is old. */
  dropsOf(clock: Clock, address: string, port: number): number | undefined {
    const nowMs = clock.monotonicMs();
    if (!this.#looking && Math.abs(nowMs - this.#lookedAtMs) >= LOOK_EVERY_MS) {
      this.#lookedAtMs = nowMs;
      void this.#look();
    }
    const rows = this.#rows.get(udpTableAddress(address, port) ?? '') ?? [];
    // A group may have several sockets, of other processes too. Two of this process cannot be told apart: the one that lost more speaks for both.
    const own = rows.length > 1 ? rows.filter((row) => this.#own.has(row.inode)) : rows;
    return own.length === 0 ? undefined : Math.max(...own.map((row) => row.drops));
  }

  async #look(): Promise<void> {
    this.#looking = true;
    try {
      const rows = new Map<string, UdpRow[]>();
      for (const row of parseUdpTable(await this.#tables.read())) rows.set(row.local, [...(rows.get(row.local) ?? []), row]);
      if ([...rows.values()].some(({ length }) => length > 1)) this.#own = await this.#tables.ownInodes();
      this.#rows = rows;
    } catch {
      // No such table here, or not for us: then it is not known.
      this.#rows = new Map();
    } finally {
      this.#looking = false;
    }
  }
}

const PROC: UdpTables = {
  async read() {
    const tables = await Promise.all([readFile('/proc/net/udp', 'latin1'), readFile('/proc/net/udp6', 'latin1').catch(() => '')]);
    return tables.join('\n');
  },
  async ownInodes() {
    const names = await readdir('/proc/self/fd');
    // One may be closed while it is looked at.
    const links = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
    return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  },
};

/** Of all sockets of this process. */
export const kernelDrops = new KernelDrops();
