/** The file of tokens: what it says, read and written (docs/design/door.md, D3). It holds nothing that opens anything: of a token's secret its SHA-256 alone. */
import { z } from 'zod';
import { LivetapeError } from '../base/index.js';
import type { FileKind } from '../state/index.js';
import type { TokenRecord } from './contract.js';
import { SCOPES } from './grant.js';
import { patternSchema } from './pattern.js';

/** Of tokens; some ten thousand have room. */
export const TOKEN_FILE: FileKind = { maxBytes: 16 * 1024 * 1024, unreadable: 'STATE_UNREADABLE', unwritable: 'STATE_UNWRITABLE' };

/** A token as it is kept. */
export interface StoredToken extends TokenRecord {
  /** SHA-256 of the secret's text, 32 bytes. */
  readonly sha256: Buffer;
}

/** Shown in tables: nothing that moves a cursor or turns text round. */
const nameSchema = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, 'it holds characters that cannot be shown')
  .regex(/\S/, 'it is blank');

/** What a token is made of, checked. */
export const requestSchema = z.object({
  name: nameSchema,
  scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
  streams: z.array(patternSchema).min(1).max(1000),
  expiresAt: z.date().optional(),
});

const instantSchema = z.iso.datetime().transform((text) => new Date(text));

/** Strict: a field that is not known may restrict what a token opens. A new one is a new format. */
const fileSchema = z.strictObject({
  format: z.literal(1),
  tokens: z.array(
    z.strictObject({
      id: z.string().regex(/^[A-Za-z0-9]{8}$/),
      name: nameSchema,
      scopes: requestSchema.shape.scopes,
      streams: requestSchema.shape.streams,
      created_at: instantSchema,
      expires_at: instantSchema.optional(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

/**
 * Reads the text of a file; of none there are no tokens.
 * @throws LivetapeError STATE_UNREADABLE; its message holds nothing of what the file says
 */
export function readTokens(path: string, text: string | undefined): ReadonlyMap<string, StoredToken> {
  if (text === undefined) return new Map();
  const wrong = (what: string): LivetapeError => new LivetapeError('STATE_UNREADABLE', `${path}: ${what}`, { context: { path } });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong('it is not JSON');
  }
  if (formatOf(value) > 1) throw wrong('a newer Livetape wrote it');
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw wrong(`${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'wrong'}`);
  }
  const tokens = new Map<string, StoredToken>();
  for (const { created_at, expires_at, sha256, ...rest } of parsed.data.tokens) {
    if (tokens.has(rest.id)) throw wrong(`two tokens have the id ${rest.id}`);
    tokens.set(rest.id, { ...rest, createdAt: created_at, expiresAt: expires_at, sha256: Buffer.from(sha256, 'hex') });
  }
  return tokens;
}

/** The text that says this; one token a line. */
export function writeTokens(tokens: Iterable<StoredToken>): string {
  const lines = [...tokens].map(({ id, name, scopes, streams, createdAt, expiresAt, sha256 }) =>
    JSON.stringify({ id, name, scopes, streams, created_at: createdAt, expires_at: expiresAt, sha256: sha256.toString('hex') }),
  );
  return `{"format":1,"tokens":[${lines.map((line) => `\n${line}`).join(',')}\n]}\n`;
}

function formatOf(value: unknown): number {
  if (typeof value !== 'object' || value === null || !('format' in value)) return 0;
  return typeof value.format === 'number' ? value.format : 0;
}
