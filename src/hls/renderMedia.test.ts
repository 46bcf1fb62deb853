import { describe, expect, it } from 'vitest';
import { renderGapEntry, renderMediaHeader, type MediaHeader } from './index.js';

const header: MediaHeader = {
  version: 3,
  targetDurationSec: 6,
  mediaSequence: 7,
  discontinuitySequence: 2,
  type: undefined,
  startMs: undefined,
  canSkipUntilSec: undefined,
  skippedSegments: 0,
};

describe('the header of a playlist for viewers', () => {
  it('says no more than it must', () => {
    expect(renderMediaHeader(header)).toBe(
      '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n',
    );
  });

  it('says everything, in the version that it needs (rfc8216bis, 8)', () => {
    const text = renderMediaHeader({ ...header, type: 'EVENT', startMs: 1234.5, canSkipUntilSec: 36, skippedSegments: 4 });
    expect(text).toBe(
      '#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n#EXT-X-PLAYLIST-TYPE:EVENT\n' +
        '#EXT-X-START:TIME-OFFSET=1.234,PRECISE=YES\n#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=36.0\n#EXT-X-SKIP:SKIPPED-SEGMENTS=4\n',
    );
    expect(renderMediaHeader({ ...header, version: 11, skippedSegments: 4 })).toContain('VERSION:11\n');
  });

  it('a gap is an entry (rfc8216bis, 4.4.4.7)', () => {
    expect(renderGapEntry(Date.UTC(2026, 0, 1), 4680)).toBe(
      '#EXT-X-GAP\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n#EXTINF:4.680000,\ngap-1767225600000.ts\n',
    );
  });
});
