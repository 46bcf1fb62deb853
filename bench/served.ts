/** A server for benchmarks: the real command in a process of its own, and what it costs as the kernel counts it. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A server that runs. */
export interface Served {
  readonly base: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts `livetape serve` on `root`; livetape.yaml says `yaml`. */
export async function serveForBench(root: string, yaml: string): Promise<Served> {
  const config = join(root, 'livetape.yaml');
  writeFileSync(config, yaml);
  const bin = fileURLToPath(new URL('../bin/livetape', import.meta.url));
  const args = [bin, 'serve', '--config', config, '--data', root, '--listen', '127.0.0.1:0'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const base = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const url = /answers at (http:\S+)/.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', () => reject(new Error('the server ended')));
  });
  return {
    base,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** CPU time of all threads of a process so far; milliseconds. */
export function cpuMs(pid: number): number {
  let ns = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // it ended meanwhile
    }
  }
  return ns / 1e6;
}

/** Resident memory; megabytes (2^20). */
export function memoryMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
