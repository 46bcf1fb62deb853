/** A sample that is sent live, and a recording of it by the library in this process: what the tests of sources and of the recorder's times share. */
import { join } from 'node:path';
import { createLivetape, type DvrConfig, type Livetape } from '../src/index.js';
import { output, whenOver } from './lab.js';

const CONFIG: DvrConfig = { enabled: true, segmentDuration: 2, retentionSec: 0, maxSizeGb: 0, storagePath: '' };

/** A sample of so many seconds with a keyframe each second, sent as it is: what is sent when is known to the frame. */
export async function liveSample(root: string, seconds = 30): Promise<string> {
  const path = join(root, 'sample.ts');
  const pictures = ['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=25:duration=${seconds}`];
  const sound = ['-f', 'lavfi', '-i', `sine=duration=${seconds}:sample_rate=48000`];
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '25', '-keyint_min', '25', '-sc_threshold', '0'];
  await output('ffmpeg', [
    ...['-nostdin', '-v', 'error', ...pictures, ...sound],
    ...[...video, '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-f', 'mpegts', path],
  ]);
  return path;
}

/** Records a source as `news` into an archive in `root`, in segments of 2 s. */
export async function recording(root: string, source: string): Promise<Livetape> {
  const livetape = await createLivetape({ root });
  whenOver(() => livetape.close());
  livetape.connect(source, 'news');
  await livetape.dvr.startRecording('news', '', CONFIG);
  return livetape;
}
