/** From where a controller's numbers can be seen: `status`, and metrics over HTTP where they are asked for. */
import type { ClusterStatus } from '../cluster-status.ts';
import type { Controller } from './controller.ts';
import { LoopLag } from './loop-lag.ts';
import { type MetricsServer, serveMetrics } from './metrics-server.ts';
import { metricsText } from './metrics-text.ts';
import { statusOf } from './status.ts';

export interface Observatory {
  /** Where metrics are served, if they are. */
  readonly metrics: string | undefined;
  status(): ClusterStatus;
  close(): Promise<void>;
}

export async function openObservatory(
  controller: Controller,
  { metrics, insecure = false }: { metrics?: string | undefined; insecure?: boolean | undefined },
): Promise<Observatory> {
  const started = Date.now();
  const lag = new LoopLag();
  let server: MetricsServer | undefined;
  const status = (): ClusterStatus => statusOf(controller, { started, lag, metrics: server?.url });
  try {
    if (metrics !== undefined) server = await serveMetrics(metrics, insecure, await metricsText(status, controller));
  } catch (error) {
    lag.stop();
    throw error;
  }
  return {
    metrics: server?.url,
    status,
    async close() {
      lag.stop();
      await server?.close();
    },
  };
}
