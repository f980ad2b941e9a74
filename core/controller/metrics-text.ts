/** The controller's numbers as Prometheus reads them. They are gathered when somebody asks; nothing is kept in between. */
import type { Metric } from 'prom-client';
import type { ClusterStatus } from '../cluster-status.ts';
import type { CallCount } from './call-counts.ts';
import { families } from './metrics-families.ts';

const DURATION = 'tutti_call_duration_seconds';

export interface MetricsText {
  contentType: string;
  read(): Promise<string>;
}

/** Loads prom-client. */
export async function metricsText(status: () => ClusterStatus, calls: () => Iterable<CallCount>): Promise<MetricsText> {
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
  registry.registerMetric({ name: DURATION, get: async () => durations(calls()) } as unknown as Metric);
  const read = (): Promise<string> => {
    now = status();
    return registry.metrics();
  };
  return { contentType: registry.contentType, read };
}

function durations(calls: Iterable<CallCount>): object {
  const values: { metricName: string; labels: Record<string, string | number>; value: number }[] = [];
  for (const { op, seconds } of calls) {
    let below = 0;
    for (const [i, n] of seconds.counts.entries()) {
      below += n;
      values.push({ metricName: `${DURATION}_bucket`, labels: { op, le: seconds.bounds[i] ?? '+Inf' }, value: below });
    }
    values.push({ metricName: `${DURATION}_sum`, labels: { op }, value: seconds.sum });
    values.push({ metricName: `${DURATION}_count`, labels: { op }, value: below });
  }
  return {
    name: DURATION,
    help: "Parts of calls, from the controller to the engine's answer",
    type: 'histogram',
    values,
  };
}
