/** Puts the table of metrics into the registry that `/metrics` answers from. */
import type { Metric, Registry } from 'prom-client';
import type { Histogram } from '../recorder/index.js';
import { METRIC_LINES, type MetricLine, type Snapshot } from './metricsTable.js';

/** A value as the registry writes it. */
interface Written {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/**
 * Enters every metric of the table. The registry's own classes count for themselves; these are counted elsewhere, so that all a metric has to do is
 * to say its values when the registry asks.
 */
export function enterMetrics(registry: Registry, snapshot: () => Snapshot | undefined): void {
  for (const line of METRIC_LINES) {
    const metric = {
      name: line.name,
      get: async () => ({ name: line.name, help: line.help, type: line.type, values: valuesOf(line, snapshot()) }),
    };
    registry.registerMetric(metric as unknown as Metric);
  }
}

function valuesOf(line: MetricLine, snapshot: Snapshot | undefined): Written[] {
  if (!snapshot) return [];
  const values: Written[] = [];
  for (const { labels, value } of line.samples(snapshot)) {
    if (typeof value === 'number') values.push({ metricName: line.name, labels, value });
    else values.push(...histogram(line.name, labels, value));
  }
  return values;
}

/** Prometheus counts buckets cumulatively, and needs one without a bound. */
function histogram(name: string, labels: Readonly<Record<string, string>>, { bounds, counts, sum }: Histogram): Written[] {
  let total = 0;
  const buckets = counts.map((count, index) => {
    total += count;
    const bound = bounds[index];
    return { metricName: `${name}_bucket`, labels: { ...labels, le: bound === undefined ? '+Inf' : String(bound) }, value: total };
  });
  return [...buckets, { metricName: `${name}_sum`, labels, value: sum }, { metricName: `${name}_count`, labels, value: total }];
}
