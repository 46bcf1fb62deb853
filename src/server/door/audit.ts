/** What was done, by whom, from where (docs/design/door.md, A1): a line of JSON for each control action. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Grant } from '../../access/index.js';
import type { Clock, Closable, Logger } from '../../base/index.js';
import type { ConfigState } from '../../config/index.js';
import { openLineLog } from '../../state/index.js';

/** A file that has grown to this is put aside … */
const MAX_BYTES = 10 * 1024 * 1024;
/** … and so many are kept. */
const MAX_FILES = 10;

/** Streams that one line names. */
const MAX_STREAMS = 20;

/** Something that was done, or that somebody known was refused. Never holds a value that was set. */
export interface Action {
  /** Who: `file` is whoever edited livetape.yaml, `cli` who may write the state folder. */
  readonly who: Pick<Grant, 'id' | 'name'> & { readonly kind: Grant['kind'] | 'file' | 'cli' };
  /** From where; empty where there is no address. */
  readonly address: string;
  /** As the OpenAPI document calls it: `putStream`. */
  readonly operation: string;
  /** Of what: a stream's code, a token's id. */
  readonly target: string;
  /** Of the answer, as HTTP says it; 0 where there is none. */
  readonly status: number;
  /** Names of what was to be changed. */
  readonly changed: readonly string[];
}

/** The log of control actions. */
export interface Audit extends Closable {
  /** Kept when it is written, or when the log says why it is not: that is no reason to refuse control. Never rejects. */
  record(action: Action): Promise<void>;
  /** The newest first. @throws what reading rejects with */
  newest(count: number): Promise<unknown[]>;
}

/** What the file says otherwise than before, whoever wrote it: the API's own changes have a line of their own, too. */
export function changeOf(state: ConfigState, before: ConfigState): Action {
  const fields = Object.keys(state.config) as (keyof ConfigState['config'])[];
  const changed = fields.filter((field) => !isDeepStrictEqual(state.config[field], before.config[field]));
  const codes = [...new Set([...state.streams.keys(), ...before.streams.keys()])];
  const streams = codes.filter((code) => !isDeepStrictEqual(state.streams.get(code), before.streams.get(code)));
  return {
    who: { kind: 'file', id: '', name: 'livetape.yaml' },
    address: '',
    operation: 'changeConfiguration',
    target: streams.slice(0, MAX_STREAMS).join(', '),
    status: 0,
    changed,
  };
}

/** Opens the log in the state folder. */
export function openAudit({ folder, clock, log }: { readonly folder: string; readonly clock: Clock; readonly log: Logger }): Audit {
  const lines = openLineLog({ path: join(folder, 'audit.jsonl'), maxBytes: MAX_BYTES, maxFiles: MAX_FILES });
  const audit: Audit = {
    async record({ who, address, operation, target, status, changed }) {
      const { kind, id, name } = who;
      const line = { time: new Date(clock.nowMs()).toISOString(), who: { kind, id, name }, address, operation, target, status, changed };
      await lines.append(line).catch((error: unknown) => log.error({ err: error, operation, target }, 'the audit log cannot be written'));
    },
    newest: (count) => lines.newest(count),
    close: () => lines.close(),
    [Symbol.asyncDispose]: () => lines.close(),
  };
  return audit;
}
