/**
 * Headers that every answer has (docs/design/door.md, L6): what the application sends, what is sent past it (sending.ts), and what is answered to what was no request
 * (errors.ts). One table for all three, which is why it is not a plugin's.
 */
import type { ServerContext } from '../context.js';

/** Nothing that is answered is a page; /docs says what it is by itself. */
const CSP = "default-src 'none'; frame-ancestors 'none'";
/** A year. */
const HSTS = 'max-age=31536000';

/** The headers, as the configuration is now. */
export function securityHeaders({ config, tls }: Pick<ServerContext, 'config' | 'tls'>): Readonly<Record<string, string>> {
  return {
    'content-security-policy': CSP,
    // a token may be in a path (D11)
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': config.state.config.http.cors.length > 0 ? 'cross-origin' : 'same-origin',
    ...(tls === undefined ? {} : { 'strict-transport-security': HSTS }),
  };
}
