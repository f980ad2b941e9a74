/** Plug-ins of a start list that could not be loaded: told, and no reason not to start. */
import type { ClusterParadigms } from '../core/cluster-info.ts';
import { say } from './output.ts';

export function sayFailed({ failed }: ClusterParadigms): void {
  for (const { reason } of failed) say(`tutti: ${reason}`);
}
