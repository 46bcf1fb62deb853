/** Range requests: RFC 9110, 14. */

/** What of a body is asked for: bytes [fromByte, toByte), all of it, or what is not there. */
export type AskedRange = 'whole' | 'unsatisfiable' | { readonly fromByte: number; readonly toByte: number };

/**
 * What a Range header asks of a body of `sizeBytes`. One that is not understood is as if it were not there. Several ranges are refused (docs/design/door.md, L1; RFC 9110, 14.2
 * leaves it to us): nobody plays a segment in pieces out of order, and many small ones cost more than they bring.
 */
export function readRange(header: string | undefined, sizeBytes: number): AskedRange {
  if (/^bytes=[^]*,/i.test(header ?? '')) return 'unsatisfiable';
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '');
  if (!match) return 'whole';
  const [, first = '', last = ''] = match;
  if (first === '') {
    if (last === '') return 'whole';
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? 'unsatisfiable' : { fromByte: sizeBytes - length, toByte: sizeBytes };
  }
  const fromByte = Number(first);
  const toByte = last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== '' && Number(last) < fromByte) return 'whole';
  return fromByte >= sizeBytes ? 'unsatisfiable' : { fromByte, toByte };
}

/** Whether the condition of If-Range holds: only our own strong tag does (RFC 9110, 13.1.5); we send no dates to compare. */
export function rangeHolds(ifRange: string | undefined, tag: string): boolean {
  return ifRange === undefined || ifRange.trim() === tag;
}
