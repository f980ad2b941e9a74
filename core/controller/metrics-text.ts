/** The controller's numbers as Prometheus reads them. They are gathered when somebody asks; nothing is kept in between. */
import type { Metric } from 'prom-client';
import type { ClusterStatus } from '../cluster-status.ts';
import { families, type HistogramFamily, type HistogramSources, histogramFamilies } from './metrics-families.ts';

export interface MetricsText {
  contentType: string;
  read(): Promise<string>;
}

/** Loads prom-client. */
export async function metricsText(status: () => ClusterStatus, sources: HistogramSources): Promise<MetricsText> {
  const { Counter, Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  let now: ClusterStatus;
  for (const { name, help, labels: labelNames, rows } of families) {
    const config = { name, help, labelNames, registers: [registry] };
    if (name.endsWith('_total')) {
      new Counter({
        ...config,
        collect() {
          this.reset();
          for (const [labels, value] of rows(now)) this.inc(labels, value);
        },
      });
    } else {
      new Gauge({
        ...config,
        collect() {
          this.reset();
          for (const [labels, value] of rows(now)) this.set(labels, value);
        },
      });
    }
  }
  // Its own Histogram wants to be told every value; ours has counted them already.
  for (const family of histogramFamilies)
    registry.registerMetric({ name: family.name, get: async () => histogram(family, sources) } as unknown as Metric);
  const read = (): Promise<string> => {
    now = status();
    return registry.metrics();
  };
  return { contentType: registry.contentType, read };
}

function histogram({ name, help, rows }: HistogramFamily, sources: HistogramSources): object {
  const values: { metricName: string; labels: Record<string, string | number>; value: number }[] = [];
  for (const [labels, { bounds, counts, sum }] of rows(sources)) {
    let below = 0;
    for (const [i, n] of counts.entries()) {
      below += n;
      values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: bounds[i] ?? '+Inf' }, value: below });
    }
    values.push({ metricName: `${name}_sum`, labels, value: sum });
    values.push({ metricName: `${name}_count`, labels, value: below });
  }
  return { name, help, type: 'histogram', values };
}
