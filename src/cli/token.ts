/**
 * `livetape token`: makes, lists and revokes tokens, and signs links for viewers. It works on the server's own files, so a running server follows, and none need
 * run. A token is told once, on standard output and alone there; words for people go to standard error.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import {
  openSignedTokens,
  openSigningKey,
  openTokenStore,
  patternSchema,
  SCOPES,
  type Scope,
  type TokenRecord,
  type TokenStore,
} from '../access/index.js';
import { LivetapeError, silentLogger, toLivetapeError } from '../base/index.js';
import { openConfig, stateFolder, type Config } from '../config/index.js';
import { linkOf, openAudit } from '../server/index.js';
import { folder, moment, momentOrSpan, seconds } from './arguments.js';
import type { CliIo } from './io.js';
import { showTime, table } from './output.js';

/** How long a signed token lives unless it is said; milliseconds. */
const SIGNED_LIFE_MS = 24 * 3600 * 1000;
/** The longest window, in seconds: a hundred years. */
const MAX_WINDOW_SEC = 100 * 365 * 86_400;

interface Place {
  readonly config: string;
  readonly data?: string;
  readonly json?: boolean;
}

interface CreateArguments extends Place {
  readonly name: string;
  readonly scope?: readonly string[];
  readonly stream?: readonly string[];
  readonly expires?: number;
}

interface SignArguments extends Place {
  readonly from?: number;
  readonly to?: number;
  readonly duration?: number;
  readonly expires?: number;
  readonly address?: string;
}

/** Adds the command. */
export function addToken(program: Command, io: CliIo): void {
  const token = program.command('token').description('tokens that open the server: make, list and revoke them, sign links for viewers');
  placed(token.command('create'))
    .description('make a token; it is shown this once')
    .requiredOption('--name <NAME>', 'whose it is, for people')
    .option('--scope <SCOPE...>', `what it is for: ${SCOPES.join(', ')}; playback unless said`)
    .option('--stream <PATTERN...>', 'its streams: codes, or patterns of them (sport/*); all unless said')
    .option('--expires <TIME>', 'when it ends: a time, or how long it lives (12h, 30d)', momentOrSpan('--expires', io.clock))
    .action((given: CreateArguments) => create(given, io));
  placed(token.command('list'))
    .description('the tokens, without what opens anything')
    .action((given: Place) => list(given, io));
  placed(token.command('revoke'))
    .description('take a token away')
    .argument('<ID>', 'its id: the part after lt_ (or the token whole)')
    .action((id: string, given: Place) => revoke(id, given, io));
  placed(token.command('sign'))
    .description('sign a token for watching a stream, or a window of it')
    .argument('<CODE>', 'the stream code, or a pattern (sport/*)', pattern)
    .option('--from <TIME>', 'where the window begins: RFC 3339 or Unix seconds', moment('--from'))
    .option('--to <TIME>', 'where it ends', moment('--to'))
    .option('--duration <SECONDS>', 'in the place of --to', seconds('--duration', 1, MAX_WINDOW_SEC))
    .option('--expires <TIME>', 'when the token ends: a time, or how long it lives; 24h unless said', momentOrSpan('--expires', io.clock))
    .option('--address <ADDRESS>', 'the address, or the network, that it is for')
    .action((code: string, given: SignArguments) => sign(code, given, io));
}

function placed(command: Command): Command {
  return command
    .option('--config <FILE>', 'the file that the server is started with', 'livetape.yaml')
    .option('--data <DIR>', 'the folder of all streams, in the place of what the file says', folder)
    .option('--json', 'as JSON');
}

async function create(given: CreateArguments, io: CliIo): Promise<void> {
  const { config, state, isUsed } = await placeOf(given, io);
  await using store = await openStore(state, io);
  const made = await store
    .create({
      name: given.name,
      scopes: (given.scope ?? ['playback']) as readonly Scope[],
      streams: given.stream ?? ['*'],
      expiresAt: given.expires === undefined ? undefined : new Date(given.expires),
    })
    .catch(asArgument);
  await audited(state, io, 'makeToken', made.record.id);
  if (given.json) return io.out(`${JSON.stringify({ token: made.token, ...recordJson(made.record) })}\n`);
  io.out(`${made.token}\n`);
  const { id, name, scopes, streams, expiresAt } = made.record;
  const until = expiresAt === undefined ? 'does not expire' : `expires ${showTime(expiresAt.getTime())}`;
  io.err(`token ${id} (${name}): ${scopes.join(', ')} of ${streams.join(', ')}; ${until}. It is not shown again.\n`);
  warn({ config, state, isUsed }, io);
}

async function list(given: Place, io: CliIo): Promise<void> {
  const { state } = await placeOf(given, io);
  await using store = await openStore(state, io);
  const records = store.list();
  if (given.json) return io.out(`${JSON.stringify(records.map(recordJson))}\n`);
  if (records.length === 0) return io.err(`no tokens in ${state}\n`);
  const nowMs = io.clock.nowMs();
  const rows = records.map(({ id, name, scopes, streams, createdAt, expiresAt }) => [
    id,
    name,
    scopes.join(','),
    streams.join(','),
    showTime(createdAt.getTime()),
    expiresAt === undefined ? '-' : `${showTime(expiresAt.getTime())}${expiresAt.getTime() <= nowMs ? ' (over)' : ''}`,
  ]);
  io.out(table(['ID', 'NAME', 'SCOPES', 'STREAMS', 'CREATED', 'EXPIRES'], rows));
}

async function revoke(id: string, given: Place, io: CliIo): Promise<void> {
  const { state } = await placeOf(given, io);
  await using store = await openStore(state, io);
  const record = await store.revoke(id);
  await audited(state, io, 'revokeToken', record.id);
  io.out(given.json ? `${JSON.stringify(recordJson(record))}\n` : `revoked ${record.id} (${record.name})\n`);
}

async function sign(stream: string, given: SignArguments, io: CliIo): Promise<void> {
  const toMs = endOf(given);
  const fromMs = given.from;
  const { config, state, isUsed } = await placeOf(given, io);
  const { keys } = config.auth;
  const [key] = keys.length > 0 ? keys : [await openSigningKey(join(state, 'signing-key'), io.clock)];
  const signed = openSignedTokens({ keys: () => (key === undefined ? [] : [key]), clock: io.clock });
  const expiresMs = given.expires ?? io.clock.nowMs() + SIGNED_LIFE_MS;
  const token = await signed
    .sign({
      stream,
      expiresMs,
      window: { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) },
      address: given.address,
    })
    .catch(asArgument);
  await audited(state, io, 'signLink', stream);
  const path = linkOf(token, stream, fromMs, toMs);
  if (given.json) return io.out(`${JSON.stringify({ token, path: path ?? null, expires_at: new Date(expiresMs).toISOString() })}\n`);
  io.out(`${token}\n`);
  io.err(`for ${stream}, until ${showTime(expiresMs)}${path === undefined ? '' : `: ${path}`}\n`);
  warn({ config, state, isUsed }, io);
}

function endOf({ from, to, duration }: SignArguments): number | undefined {
  if (duration === undefined) return to;
  if (from === undefined || to !== undefined) throw new LivetapeError('ARGUMENT_INVALID', '--duration goes with --from, and without --to');
  return from + duration * 1000;
}

/** Where tokens and keys are. */
interface Found {
  readonly config: Config;
  /** The folder of the server's own files. */
  readonly state: string;
  /** Whether it was there. */
  readonly isUsed: boolean;
}

/** Found as `serve` finds them. */
async function placeOf({ config: path, data }: Place, io: CliIo): Promise<Found> {
  await using store = await openConfig({ path, clock: io.clock, log: silentLogger });
  const { config } = store.state;
  const state = stateFolder(config, data ?? config.data);
  const isUsed = await stat(state).then(
    () => true,
    () => false,
  );
  return { config, state, isUsed };
}

/** As the API's own are; with the words of that document. Whoever may write these files may do without it. */
async function audited(state: string, io: CliIo, operation: string, target: string): Promise<void> {
  await using audit = openAudit({ folder: state, clock: io.clock, log: silentLogger });
  await audit.record({ who: { kind: 'cli', id: '', name: 'livetape token' }, address: '', operation, target, status: 0, changed: [] });
}

function openStore(state: string, io: CliIo): Promise<TokenStore> {
  return openTokenStore({ path: join(state, 'tokens.json'), clock: io.clock, log: silentLogger, follow: false });
}

/** What was made may be of no use: no server asks for it, or none knows it. */
function warn({ config, state, isUsed }: Found, io: CliIo): void {
  if (!config.auth.enabled) io.err('auth.enabled is false in the configuration: nobody is asked for a token\n');
  if (!isUsed) io.err(`no server has used ${state} yet: it is to be started with the same --config and --data\n`);
}

function recordJson({ id, name, scopes, streams, createdAt, expiresAt }: TokenRecord): Record<string, unknown> {
  return { id, name, scopes, streams, created_at: createdAt.toISOString(), expires_at: expiresAt?.toISOString() ?? null };
}

function pattern(text: string): string {
  if (patternSchema.safeParse(text).success) return text;
  throw new LivetapeError('ARGUMENT_INVALID', `${JSON.stringify(text)} is neither a stream code nor a pattern of one`);
}

/** What a request of the API would be refused for is here a wrong command line. */
function asArgument(error: unknown): never {
  const told = toLivetapeError(error, 'INVARIANT_BROKEN', 'a fault of Livetape');
  throw told.code === 'REQUEST_INVALID' ? new LivetapeError('ARGUMENT_INVALID', told.message, { cause: error }) : told;
}
