/** ffmpeg as a live sender, for tests: a moving picture with sound, in real time, to an address. */
import { spawn, type ChildProcess } from 'node:child_process';

/** A sender under way. `end()` is kept when the process is gone. */
export interface FfmpegSender {
  readonly process: ChildProcess;
  end(): Promise<void>;
}

/** Starts ffmpeg with its output arguments, such as `-f mpegts udp://127.0.0.1:5000`; ten seconds of media unless `seconds` says otherwise. */
export function ffmpeg(output: readonly string[], { seconds = 10, realTime = true } = {}): FfmpegSender {
  const video = ['-f', 'lavfi', '-i', `testsrc=size=320x180:rate=25:duration=${seconds}`];
  const audio = ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`];
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '2', '-c:a', 'aac'];
  const child = spawn(
    'ffmpeg',
    ['-nostdin', '-loglevel', 'error', ...(realTime ? ['-re'] : []), ...video, ...audio, ...codecs, ...output],
    {
      stdio: 'ignore',
    },
  );
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    process: child,
    async end() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
