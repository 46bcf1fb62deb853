/** `livetape check [CODE...]`: reads archives from end to end and names what is damaged; `--repair` sets it right. */
import type { Command } from 'commander';
import type { CheckProgress, CheckReport, Finding, RepairAction } from '../archive/index.js';
import { LivetapeError, isLivetapeError, type Timer } from '../base/index.js';
import { createLivetape, type Livetape } from '../livetape.js';
import { checkStreamCode } from '../model/index.js';
import { folder } from './arguments.js';
import { errorLine } from './errorLine.js';
import type { CliIo } from './io.js';
import { showSize } from './output.js';

/** How often the line on a terminal is refreshed. */
const REFRESH_MS = 200;
const BAR_CELLS = 20;
const BACK_AND_CLEAR = '\r\u001b[K';

/** What is said of a stream at its end. */
interface Outcome {
  readonly report: CheckReport;
  /** Things that a repair did; undefined when none was asked for. */
  readonly actions?: number;
  /** Damage that is there now. */
  readonly left: number;
}

/** Adds the command. */
export function addCheck(program: Command, io: CliIo, done: (status: number) => void): void {
  program
    .command('check')
    .description('whether everything recorded is there and right; with --repair, sets right what is not')
    .argument('[CODE...]', 'stream codes; all streams when none is given')
    .option('--data <DIR>', 'the folder of all streams', folder, folder('dvr'))
    .option('--repair', 'repair what is found; media is renamed, never removed')
    .option('--json', 'a finding, an action or a summary a line, as JSON')
    .action(async (given: string[], { data, repair = false, json = false }: { data: string; repair?: boolean; json?: boolean }) => {
      const codes = given.map(checkStreamCode);
      await using livetape = await createLivetape({ root: data, clock: io.clock });
      if (codes.length === 0) for await (const code of livetape.storage.list()) codes.push(code);
      codes.sort();
      const abort = new AbortController();
      const stopListening = io.onSignal((signal) => abort.abort(new LivetapeError('CLOSED', `ended by ${signal}`)));
      const teller = new Teller(io, json);
      try {
        if (codes.length === 0 && !json) io.out(`no streams in ${data}\n`);
        for (const code of codes) if (!(await one(livetape, code, { repair, teller, io, signal: abort.signal }))) done(1);
      } finally {
        teller.close();
        stopListening();
      }
    });
}

interface OneOptions {
  readonly repair: boolean;
  readonly teller: Teller;
  readonly io: CliIo;
  readonly signal: AbortSignal;
}

/** Checks one stream; false when damage is left. Another stream's trouble is told and does not keep from the next. */
async function one(livetape: Livetape, code: string, { repair, teller, io, signal }: OneOptions): Promise<boolean> {
  teller.begin(code);
  const options = {
    signal,
    onFinding: (finding: Finding) => teller.finding(finding),
    onProgress: (progress: CheckProgress) => teller.progress(progress),
  };
  try {
    const outcome = repair ? await repaired(livetape, code, options, teller) : await checked(livetape, code, options);
    teller.end(outcome);
    return outcome.left === 0;
  } catch (error) {
    if (!isLivetapeError(error) || signal.aborted) throw error;
    teller.clear();
    io.err(errorLine(error));
    return false;
  }
}

type Options = NonNullable<Parameters<Livetape['check']>[1]>;

async function checked(livetape: Livetape, code: string, options: Options): Promise<Outcome> {
  const report = await livetape.check(code, options);
  return { report, left: report.damages };
}

async function repaired(livetape: Livetape, code: string, options: Options, teller: Teller): Promise<Outcome> {
  const { check, actions } = await livetape.repair(code, { ...options, onAction: (action) => teller.action(action) });
  if (check.damages === 0) return { report: check, actions, left: 0 };
  const left: Finding[] = [];
  const after = await livetape.check(code, {
    ...options,
    onFinding: (finding) => void (finding.severity === 'damage' && left.push(finding)),
  });
  for (const finding of left) teller.finding(finding, 'left');
  return { report: after, actions, left: left.length };
}

/** Tells people or programs, and keeps a terminal's last line up to date. */
class Teller {
  readonly #io: CliIo;
  readonly #json: boolean;
  readonly #timer: Timer | undefined;
  #code = '';
  #progress: CheckProgress | undefined;
  #lineShown = false;

  constructor(io: CliIo, json: boolean) {
    this.#io = io;
    this.#json = json;
    if (!json && io.columns() !== undefined) this.#timer = io.clock.every(REFRESH_MS, () => this.#refresh());
  }

  begin(code: string): void {
    this.#code = code;
    this.#progress = undefined;
  }

  progress(progress: CheckProgress): void {
    this.#progress = progress;
  }

  finding(finding: Finding, left?: 'left'): void {
    if (this.#json) return this.#print({ stream_code: this.#code, finding: left ? { ...finding, left: true } : finding });
    const values =
      finding.expected !== undefined || finding.seen !== undefined ? ` (expected ${finding.expected}, seen ${finding.seen})` : '';
    const line = finding.line === undefined ? '' : `, line ${finding.line}`;
    this.#say(
      `${this.#code}: ${left ? 'left: ' : ''}${finding.kind}${finding.severity === 'note' ? ' (note)' : ''}: ${finding.message}${values}${line}`,
    );
  }

  action(action: RepairAction): void {
    if (this.#json) return this.#print({ stream_code: this.#code, action });
    this.#say(`${this.#code}: ${action.action}: ${action.message}`);
  }

  end({ report, actions, left }: Outcome): void {
    if (this.#json) return this.#print({ stream_code: this.#code, summary: { ...report, actions, left } });
    const notes = report.notes === 0 ? '' : `, ${counted(report.notes, 'note')}`;
    const did = actions === undefined ? '' : actions === 0 ? ', nothing to repair' : `, ${counted(actions, 'action')}`;
    const found = actions === undefined ? counted(left, 'finding') : left === 0 ? 'in order' : `${counted(left, 'finding')} left`;
    this.#say(`${this.#code}: ${counted(report.segments, 'segment')}, ${showSize(report.bytes)}: ${found}${did}${notes}`);
  }

  clear(): void {
    if (this.#lineShown) this.#io.err(BACK_AND_CLEAR);
    this.#lineShown = false;
  }

  close(): void {
    this.#timer?.cancel();
    this.clear();
  }

  #say(text: string): void {
    this.clear();
    this.#io.out(`${text}\n`);
  }

  #print(value: unknown): void {
    this.#io.out(`${JSON.stringify(value)}\n`);
  }

  #refresh(): void {
    const { segments, bytes, part } = this.#progress ?? { segments: 0, bytes: 0, part: 0 };
    const full = Math.floor(part * BAR_CELLS);
    const bar = `[${'#'.repeat(full)}${'.'.repeat(BAR_CELLS - full)}]`;
    const line = `${this.#code} ${bar} ${Math.floor(part * 100)} % | ${counted(segments, 'segment')} | ${showSize(bytes)}`;
    this.#io.err(`${BACK_AND_CLEAR}${line.slice(0, Math.max(1, (this.#io.columns() ?? 80) - 1))}`);
    this.#lineShown = true;
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
