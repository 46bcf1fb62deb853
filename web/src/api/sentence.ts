/** What the server says begins small and ends without a stop: a page shows sentences. Pure. */

/** As the server says it, as a sentence. */
export function sentence(text: string): string {
  const [first = '', ...rest] = text;
  return `${first.toUpperCase()}${rest.join('')}${/[.!?…]$/.test(text) ? '' : '.'}`;
}
