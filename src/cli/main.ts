/**
 * The command line: finds the command, and turns whatever goes wrong into one line on standard error and an exit status: 0 done, 1 what was
 * asked failed, 2 the command line was wrong.
 */
import { Command, CommanderError } from 'commander';
import { LivetapeError, toLivetapeError, type ErrorCode } from '../base/index.js';
import { errorLine } from './errorLine.js';
import { addCheck } from './check.js';
import { addInfo } from './info.js';
import { processIo, type CliIo } from './io.js';
import { addKeep } from './keep.js';
import { addList } from './list.js';
import { addProbe } from './probe.js';
import { addRecord } from './record.js';
import { addServe } from './serve.js';
import { addToken } from './token.js';
import { packageVersion } from './version.js';

/** Codes that say that the command line was wrong. */
const WRONG_COMMAND_LINE: readonly ErrorCode[] = ['ARGUMENT_INVALID', 'STREAM_CODE_INVALID', 'SOURCE_INVALID', 'SOURCE_UNSUPPORTED'];

/** Runs `argv` (without the program's own name) and answers with the exit status; never throws. */
export async function main(argv: readonly string[], io: CliIo = processIo()): Promise<number> {
  const program = new Command('livetape')
    .description('A DVR for live video streams: records them around the clock into plain HLS.')
    .version(packageVersion())
    .showSuggestionAfterError(false)
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text), outputError: () => undefined })
    .exitOverride();
  let status = 0;
  const done = (answer: number): void => void (status = answer);
  addServe(program, io, done);
  addRecord(program, io, done);
  addList(program, io);
  addInfo(program, io);
  addCheck(program, io, done);
  addProbe(program, io);
  addKeep(program, io);
  addToken(program, io);
  try {
    if (argv.length === 0) {
      program.outputHelp({ error: true });
      return 2;
    }
    await program.parseAsync(argv, { from: 'user' });
    return status;
  } catch (error) {
    // --help and --version end here, with nothing wrong
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const told = error instanceof CommanderError ? argumentError(error) : toLivetapeError(error, 'INVARIANT_BROKEN', 'a fault of Livetape');
    io.err(errorLine(told));
    return WRONG_COMMAND_LINE.includes(told.code) ? 2 : 1;
  }
}

function argumentError(error: CommanderError): LivetapeError {
  if (error.code === 'commander.help')
    return new LivetapeError('ARGUMENT_INVALID', 'the command is not complete (livetape --help)', { cause: error });
  const message = error.message.replace(/^error: /, '').replace(/\n[^]*$/, '');
  return new LivetapeError('ARGUMENT_INVALID', `${message} (livetape --help)`, { cause: error });
}
