/** A server of the test's own: the real command on a free port and a folder of its own. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { livetape, temporaryFolder, waitFor, whenOver, within, type Running } from './lab.js';

/** What is asked for has been answered in full by then. */
const ANSWER_MS = 30_000;

/** A server that runs. */
export interface TestServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** The folder of all streams. */
  readonly root: string;
  /** livetape.yaml. */
  readonly config: string;
  readonly running: Running;
  get(path: string, options?: RequestInit): Promise<Response>;
  json(path: string, options?: RequestInit): Promise<Record<string, unknown>>;
  text(path: string): Promise<string>;
}

/** Starts `livetape serve` on what lies in `root`, with livetape.yaml saying `yaml`. */
export async function startServer(options: { root?: string; yaml?: string; args?: readonly string[] } = {}): Promise<TestServer> {
  const root = options.root ?? (await temporaryFolder());
  const config = join(root, 'livetape.yaml');
  if (options.yaml !== undefined) await writeFile(config, options.yaml);
  const running = livetape('serve', '--config', config, '--data', root, '--listen', '127.0.0.1:0', ...(options.args ?? []));
  // Its recorders outlive it unless it is told to end.
  whenOver(async () => {
    if (running.child.exitCode !== null || running.child.signalCode !== null) return;
    const exited = new Promise((resolve) => running.child.once('exit', resolve));
    running.child.kill('SIGTERM');
    await within('the server to end after SIGTERM', exited, 25_000);
  });
  const url = await waitFor(
    'the server to say its address',
    () => {
      if (running.child.exitCode !== null) throw new Error(`the server ended: ${running.stderr()}`);
      return /answers at (http:\S+)/.exec(running.stdout())?.[1];
    },
    60_000,
  );
  const unanswered =
    (path: string) =>
    (cause: unknown): never => {
      throw new Error(`${path} was not answered in full within ${ANSWER_MS} ms: ${String(cause)}`, { cause });
    };
  const get = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(`${url}${path}`, { signal: AbortSignal.timeout(ANSWER_MS), ...init }).catch(unanswered(path));
  return {
    url,
    root,
    config,
    running,
    get,
    json: async (path, init) => (await (await get(path, init)).json().catch(unanswered(path))) as Record<string, unknown>,
    text: async (path) => (await get(path)).text().catch(unanswered(path)),
  };
}
