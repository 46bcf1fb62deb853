/**
 * Errors as HTTP tells them (docs/design/server.md H2): every code has one status, every body is `{"error": {"code", "message"}}`, and what is
 * a fault of ours tells nothing of its insides.
 */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { isLivetapeError, LivetapeError, type ErrorCode } from '../base/index.js';
import { publicMessage } from './publicText.js';

/** The status of every code. A code without a line here does not compile. */
export const HTTP_STATUS: Readonly<Record<ErrorCode, number>> = {
  ARGUMENT_INVALID: 400,
  CONFIG_INVALID: 409,
  RECORDING_DISABLED: 409,
  STREAM_CODE_INVALID: 400,
  STREAM_CODE_TAKEN: 409,
  STREAM_NOT_FOUND: 404,
  ALREADY_RECORDING: 409,
  NOT_RECORDING: 409,
  BUFFER_NOT_FOUND: 404,
  CLOSED: 503,
  SOURCE_INVALID: 400,
  SOURCE_UNSUPPORTED: 400,
  SOURCE_NOT_FOUND: 404,
  SOURCE_FAILED: 502,
  SOURCE_NOT_TS: 502,
  PROGRAM_NOT_FOUND: 404,
  ARCHIVE_CORRUPT: 500,
  ARCHIVE_FORMAT_NEWER: 500,
  PATH_OUTSIDE_ROOT: 403,
  STREAM_OWNED: 409,
  OWNERSHIP_LOST: 503,
  STORAGE_UNWRITABLE: 500,
  STORAGE_FAILED: 500,
  DISK_FULL: 507,
  NOTHING_RECORDED: 404,
  WINDOW_BEFORE_ARCHIVE: 404,
  WINDOW_TOO_LONG: 400,
  SEGMENT_NOT_FOUND: 404,
  PREVIEW_UNSUPPORTED: 422,
  WINDOW_EXPIRED: 410,
  WINDOW_IN_GAP: 404,
  WINDOW_IN_FUTURE: 404,
  KEEP_EXISTS: 409,
  KEEP_NOT_FOUND: 404,
  LISTEN_REFUSED: 500,
  CONFIG_UNWRITABLE: 500,
  RECORDER_LOST: 503,
  ROOT_OWNED: 500,
  ROUTE_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_INVALID: 400,
  ORIGIN_REFUSED: 403,
  HOST_REFUSED: 421,
  UNAUTHENTICATED: 401,
  TOKEN_EXPIRED: 401,
  FORBIDDEN: 403,
  AUTHORIZER_FAILED: 503,
  TOO_MANY_REQUESTS: 429,
  LIMIT_REACHED: 503,
  TOKEN_NOT_FOUND: 404,
  SOURCE_REFUSED: 403,
  ADDRESS_REFUSED: 403,
  HOOK_NOT_FOUND: 404,
  HOOK_FAILED: 502,
  TLS_INVALID: 500,
  STATE_UNREADABLE: 500,
  STATE_UNWRITABLE: 500,
  INVARIANT_BROKEN: 500,
};

/** What passes by itself, and after how many seconds to ask again. */
const RETRY_AFTER: Partial<Readonly<Record<ErrorCode, number>>> = {
  CLOSED: 5,
  OWNERSHIP_LOST: 2,
  RECORDER_LOST: 2,
  AUTHORIZER_FAILED: 2,
  TOO_MANY_REQUESTS: 1,
  LIMIT_REACHED: 5,
};

/** The body of every answer that is an error. */
export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string };
}

/** An error, ready to be sent. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ErrorBody;
}

/** What HTTP refuses by a status that no code has: a URL or a body that is too long, a body that is coded. */
export class HttpRefusal extends Error {
  /** 4xx. */
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** What any error is to a client. */
export function errorAnswer(error: unknown): ErrorAnswer {
  if (isLivetapeError(error)) {
    const { code } = error;
    const retry = RETRY_AFTER[code];
    const headers: Record<string, string> = {
      ...(retry === undefined ? {} : { 'retry-after': String(retry) }),
      // RFC 9110, 11.6.1 and RFC 6750, 3: a 401 says how to come in
      ...(HTTP_STATUS[code] === 401 ? { 'www-authenticate': code === 'TOKEN_EXPIRED' ? 'Bearer error="invalid_token"' : 'Bearer' } : {}),
    };
    return answer(HTTP_STATUS[code], code, publicMessage(error), headers);
  }
  const status = statusOf(error);
  if (status === 404) return answer(404, 'ROUTE_NOT_FOUND', 'there is nothing at this address');
  // It would be quoted, and a token may be in it (D11).
  if (isBadUrl(error)) return answer(status, 'REQUEST_INVALID', 'the address cannot be decoded');
  // Fastify's own: a body that is no JSON, too large, of another type.
  if (status >= 400 && status < 500) return answer(status, 'REQUEST_INVALID', error instanceof Error ? error.message : 'invalid request');
  return answer(500, 'INVARIANT_BROKEN', publicMessage(new LivetapeError('INVARIANT_BROKEN', '')));
}

function isBadUrl(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'FST_ERR_BAD_URL';
}

function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return 500;
  return typeof error.statusCode === 'number' ? error.statusCode : 500;
}

function answer(status: number, code: ErrorCode, message: string, headers: ErrorAnswer['headers'] = {}): ErrorAnswer {
  return { status, headers, body: { error: { code, message } } };
}

/**
 * Of the parser of Node: what it read was no request. There is none to be answered, so the answer is written as it is.
 * @param headers - what every answer has
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket, headers: Readonly<Record<string, string>> = {}): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? [408, 'the request took too long to come']
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? [431, 'the address or the headers are too long']
        : [400, 'this is not HTTP'];
  const body = JSON.stringify(answer(status, 'REQUEST_INVALID', message).body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...Object.entries({ 'cache-control': 'no-store', ...headers }).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
