// Records what this program writes into a media buffer: here a file, in your program whatever it receives.
//   node examples/record-from-code.mjs [FILE.ts] [ROOT]
import { createReadStream } from 'node:fs';
import { createLivetape } from 'livetape';

const [file = 'assets/demo.ts', root = './dvr'] = process.argv.slice(2);

const livetape = await createLivetape({ root });
const news = livetape.buffers.open('news'); // a media buffer: write bytes, never waits
livetape.dvr.on('segment.written', ({ segment }) => console.log(`${segment.uri}: ${segment.sizeBytes} bytes`));

await livetape.dvr.startRecording('news', 'news', { enabled: true, segmentDuration: 4, retentionSec: 0, maxSizeGb: 0, storagePath: '' });
for await (const chunk of createReadStream(file)) {
  news.write(chunk);
  await news.room(); // a file can wait for the disk; a live source simply writes on
}

const { segmentDir } = await livetape.dvr.stopRecording('news'); // final VOD playlist
for (const { index, wallTime, duration } of await livetape.dvr.parsePlaylist(segmentDir)) {
  console.log(`${index} from ${wallTime.toISOString()} for ${duration} s`);
}
await livetape.close();
