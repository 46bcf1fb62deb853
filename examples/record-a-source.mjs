// Records a source by its URL for some seconds, says what happens, and leaves the recording to be resumed.
//   node examples/record-a-source.mjs [SOURCE] [ROOT] [SECONDS]
import { createLivetape } from 'livetape';

const [source = 'file:assets/demo.ts?loop=1', root = './dvr', seconds = '10'] = process.argv.slice(2);

const livetape = await createLivetape({ root });
livetape.dvr.on('gap.opened', ({ fromMs, reason }) => console.log(`no media since ${new Date(fromMs).toISOString()}: ${reason}`));
livetape.dvr.on('segment.written', ({ segment }) => console.log(`${segment.uri} at ${new Date(segment.wallMs).toISOString()}`));

const recording = await livetape.dvr.startRecording('studio', '', {
  enabled: true,
  segmentDuration: 2,
  retentionSec: 0,
  maxSizeGb: 0,
  storagePath: '',
});
const connection = livetape.connect(source, 'studio');
console.log(`recording ${connection.url} into ${recording.segmentDir}`);

await Promise.race([connection.ended, new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000))]);
await livetape.close(); // commits what has come; the next start resumes it
