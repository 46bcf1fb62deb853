/** Which coding of a body a client gets: Accept-Encoding as RFC 9110, 12.5.3 has it. */

/** The codings we make, those we would rather send first. */
const CODINGS = ['br', 'gzip'] as const;

/** How a body is coded. */
export type Coding = (typeof CODINGS)[number] | 'identity';

/** The coding that the client weighs highest; of equal ones the smaller body. Without the header nothing is coded, since old players do not expect it. */
export function chooseCoding(header: string | undefined): Coding {
  if (header === undefined) return 'identity';
  const weights = new Map<string, number>();
  for (const item of header.split(',')) {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase());
    const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
    // a weight is 0 to 1 with at most three digits; what is none is not asked for
    weights.set(name === 'x-gzip' ? 'gzip' : name, /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(q) ? Number(q) : 0);
  }
  const rest = weights.get('*');
  let best: Coding = 'identity';
  // identity stands for itself even where it is not named, but yields to all that is
  let bestWeight = weights.get('identity') ?? 0;
  for (const coding of CODINGS) {
    const weight = weights.get(coding) ?? rest ?? 0;
    if (weight > bestWeight || (weight === bestWeight && weight > 0 && best === 'identity')) {
      best = coding;
      bestWeight = weight;
    }
  }
  return best;
}
