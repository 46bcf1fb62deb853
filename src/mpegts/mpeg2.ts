/**
 * MPEG-2 and MPEG-1 video (ITU-T H.262): random access at an I picture that follows a sequence header (6.1.1.6), whether its GOP is closed or
 * open; resolution and sample format from the sequence header and its extension (6.2.2.1, 6.2.2.3).
 */
import type { CodecRules, Verdict } from './accessUnit.js';

const PICTURE = 0x00;
const SEQUENCE = 0xb3;
const EXTENSION = 0xb5;
const SEQUENCE_EXTENSION = 1;

export const mpeg2Rules: CodecRules = {
  wanted(header) {
    switch (header) {
      case PICTURE:
        return 3; // temporal_reference and picture_coding_type
      case SEQUENCE:
        return 4;
      case EXTENSION:
        return 4;
      default:
        return 0;
    }
  },
  look(unit, length, facts): Verdict {
    switch (unit[0]) {
      case SEQUENCE:
        if (length < 4) return undefined;
        facts.recovery = true;
        facts.format = `mpeg2 ${(unit[1]! << 4) | (unit[2]! >> 4)}x${((unit[2]! & 15) << 8) | unit[3]!}`;
        return undefined;
      case EXTENSION:
        // profile, level, progressive, chroma format and the sizes' upper bits, as they are
        if (length >= 4 && unit[1]! >> 4 === SEQUENCE_EXTENSION && facts.format !== undefined) {
          facts.format += ` extension ${((unit[1]! & 15) << 16) | (unit[2]! << 8) | unit[3]!}`;
        }
        return undefined;
      default:
        // a trailing zero byte of the picture header is cut off where a start code follows: then it is too short to be one
        return length < 3 ? undefined : facts.recovery && ((unit[2]! >> 3) & 7) === 1;
    }
  },
};
