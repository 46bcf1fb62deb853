/** DNS rebinding (docs/design/door.md, D2): a page whose name was made to mean 127.0.0.1 asks under that name, which is none of this machine's. */
import { isIP } from 'node:net';
import { LivetapeError } from '../../base/index.js';

/** @throws LivetapeError HOST_REFUSED for a Host that is neither of loopback nor one of `hosts` */
export function refuseForeignHost(host: string | undefined, hosts: readonly string[]): void {
  const name = nameOf(host ?? '');
  if (name !== undefined && (isLoopback(name) || hosts.some((own) => own.toLowerCase() === name))) return;
  throw new LivetapeError('HOST_REFUSED', 'this server has no auth and answers under its loopback address alone (http.hosts names others)');
}

/** Without its port, in lower case; undefined for what is no host. */
function nameOf(host: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/.exec(host.toLowerCase()) ?? [];
  return bracketed ?? plain;
}

/** Whether it is `localhost`, or an address of loopback. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  const kind = isIP(host);
  return kind === 4 ? host.startsWith('127.') : kind === 6 && /^(0*:)*0*1$|^::ffff:127\./i.test(host);
}
