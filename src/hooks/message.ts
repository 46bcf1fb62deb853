/**
 * A request as Standard Webhooks has it (https://github.com/standard-webhooks/standard-webhooks): its id is the same each time that the same events are sent, its signature
 * is HMAC-SHA256 over `id.timestamp.body`.
 */
import { createHash, createHmac } from 'node:crypto';

/** A body with what is said of it. */
export interface Message {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * @param events - JSON texts
 * @param nowMs - UTC
 */
export function messageOf(events: readonly string[], secret: string | undefined, nowMs: number): Message {
  const body = `{"events":[${events.join(',')}]}`;
  const id = `msg_${createHash('sha256').update(body).digest('base64url').slice(0, 27)}`;
  const timestamp = String(Math.floor(nowMs / 1000));
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'livetape',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
  };
  if (secret !== undefined) {
    const signature = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64');
    headers['webhook-signature'] = `v1,${signature}`;
  }
  return { body, headers };
}

function keyOf(secret: string): Buffer {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);
}
