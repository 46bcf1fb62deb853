/**
 * Values as text, for messages between processes: JSON, and what JSON cannot say: dates, errors (a LivetapeError keeps its code and context), numbers
 * that are not finite. What is undefined is left out.
 */
import { ERROR_CODES, LivetapeError, type ErrorCode, type ErrorContext } from '../../base/index.js';

/** Marks an object that stands for something else. */
const TAG = '$';
/** Causes of causes that are told of. */
const MAX_CAUSES = 4;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** A value as bytes. Functions, classes of others and binary data have no place in it. */
export function encodeValue(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(pack(value, 0)));
}

/**
 * The value of {@link encodeValue}'s bytes.
 * @throws SyntaxError, TypeError for what is none
 */
export function decodeValue(bytes: Uint8Array): unknown {
  return unpack(JSON.parse(decoder.decode(bytes)));
}

function pack(value: unknown, causes: number): unknown {
  switch (typeof value) {
    case 'undefined':
      return { [TAG]: 'undefined' };
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { [TAG]: 'number', value: Object.is(value, -0) ? '-0' : String(value) };
    case 'object':
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((item) => pack(item, causes));
  if (value instanceof Date) return { [TAG]: 'date', value: pack(value.getTime(), causes) };
  if (value instanceof Error) return packError(value, causes);
  const entries = Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, pack(item, causes)] as const]));
  // an object of somebody's that looks like one of ours
  if (Object.hasOwn(value, TAG)) return { [TAG]: 'entries', value: entries };
  return Object.fromEntries(entries);
}

function packError(error: Error, causes: number): unknown {
  const { name, message, cause } = error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return {
    [TAG]: 'error',
    name,
    message,
    ...(code === undefined ? {} : { code }),
    ...(error instanceof LivetapeError ? { context: pack(error.context, causes) } : {}),
    ...(cause === undefined || causes >= MAX_CAUSES ? {} : { cause: pack(cause, causes + 1) }),
  };
}

function unpack(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(unpack);
  if (!Object.hasOwn(value, TAG)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unpack(item)]));
  const tagged = value as Record<string, unknown>;
  switch (tagged[TAG]) {
    case 'undefined':
      return undefined;
    case 'number':
      return Number(tagged['value']);
    case 'date':
      return new Date(Number(unpack(tagged['value'])));
    case 'error':
      return unpackError(tagged);
    case 'entries':
      return Object.fromEntries((tagged['value'] as [string, unknown][]).map(([key, item]) => [key, unpack(item)]));
    default:
      throw new TypeError('a message holds a value of an unknown kind');
  }
}

function unpackError(tagged: Record<string, unknown>): Error {
  const { code, message, name } = tagged;
  const cause = unpack(tagged['cause']);
  const causes = cause === undefined ? {} : { cause };
  if (name === 'LivetapeError' && isErrorCode(code)) {
    return new LivetapeError(code, String(message), { ...causes, context: (unpack(tagged['context']) ?? {}) as ErrorContext });
  }
  const error = new Error(String(message), causes);
  error.name = String(name);
  return code === undefined ? error : Object.assign(error, { code });
}

function isErrorCode(code: unknown): code is ErrorCode {
  return (ERROR_CODES as readonly unknown[]).includes(code);
}
