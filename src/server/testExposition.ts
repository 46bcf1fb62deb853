/** Reads Prometheus' text format strictly, as its own parser and `promtool check metrics` do: what they would complain of throws. */

/** A metric with its samples. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\n"])*"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{((?:${LABEL})(?:,${LABEL})*)\\})? (\\S+)$`);
const NUMBER = /^([+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|[+-]Inf|NaN)$/i;
/** Units that are not Prometheus' base units, and what a name must not hold. */
const NOT_BASE = /_(ms|milliseconds|microseconds|minutes|hours|kilobytes|kb|megabytes|mb|gb|bits|percent)(_|$)/;

/** The metrics by name. */
export function readExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  const series = new Set<string>();
  let help: { name: string; text: string } | undefined;
  let current: Family | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const comment = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line);
    if (comment) {
      const [, kind, name = '', rest = ''] = comment;
      if (families.has(name)) throw new Error(`${name} comes twice`);
      if (kind === 'HELP') help = { name, text: rest };
      else {
        if (help?.name !== name) throw new Error(`${name} has no help`);
        if (!['counter', 'gauge', 'histogram', 'summary'].includes(rest)) throw new Error(`${name} is a ${rest}`);
        current = { name, type: rest, help: help.text, samples: [] };
        families.set(name, current);
      }
      continue;
    }
    const match = SAMPLE.exec(line);
    if (!match) throw new Error(`no line of the format: ${line}`);
    const [, name = '', labelText = '', valueText = ''] = match;
    if (!NUMBER.test(valueText)) throw new Error(`no number: ${line}`);
    if (!current || baseOf(name, current) !== current.name) throw new Error(`out of place: ${line}`);
    const labels: Record<string, string> = {};
    for (const [, key = '', value = ''] of labelText.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)) {
      if (key in labels || key.startsWith('__')) throw new Error(`label ${key}: ${line}`);
      labels[key] = value.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
    }
    const id = JSON.stringify([name, Object.entries(labels).sort()]);
    if (series.has(id)) throw new Error(`comes twice: ${line}`);
    series.add(id);
    current.samples.push({ name, labels, value: Number(valueText.replace('Inf', 'Infinity')) });
  }
  for (const family of families.values()) judge(family);
  return families;
}

function baseOf(name: string, { type }: Family): string {
  return type === 'histogram' ? name.replace(/_(bucket|sum|count)$/, '') : name;
}

function judge(family: Family): void {
  const { name, type, samples } = family;
  if ((type === 'counter') !== name.endsWith('_total')) throw new Error(`${name}: counters, and they alone, end in _total`);
  if (NOT_BASE.test(name)) throw new Error(`${name}: no base unit`);
  if (/_(counter|gauge|histogram)(_|$)/.test(name)) throw new Error(`${name}: its type is no part of a name`);
  if (type === 'counter' && samples.some(({ value }) => !(value >= 0))) throw new Error(`${name}: a counter below 0`);
  if (type === 'histogram') judgeHistogram(family);
}

function judgeHistogram({ name, samples }: Family): void {
  const rows = new Map<string, { buckets: [number, number][]; count?: number; sum?: number }>();
  for (const { name: part, labels, value } of samples) {
    const { le, ...rest } = labels;
    const key = JSON.stringify(rest);
    const row = rows.get(key) ?? { buckets: [] };
    rows.set(key, row);
    if (part.endsWith('_bucket')) row.buckets.push([Number(le?.replace('Inf', 'Infinity')), value]);
    else if (part.endsWith('_count')) row.count = value;
    else row.sum = value;
  }
  for (const { buckets, count, sum } of rows.values()) {
    const ordered = buckets.every(([bound, value], at) => {
      const before = buckets[at - 1];
      return !before || (bound > before[0] && value >= before[1]);
    });
    const [lastBound, lastValue] = buckets.at(-1) ?? [];
    if (!ordered || lastBound !== Infinity || lastValue !== count || sum === undefined)
      throw new Error(`${name}: its buckets do not add up`);
  }
}
