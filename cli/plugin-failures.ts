/** Plug-ins of a start list that could not be loaded: told, and no reason not to start. */
import type { ClusterParadigms, ConnectionInfo } from '../core/cluster-info.ts';
import { say } from './output.ts';

export function sayFailed({ failed }: ClusterParadigms): void {
  for (const { reason } of failed) say(`tutti: ${reason}`);
}

/** Of a detached cluster, whose own output nobody reads. */
export async function askFailed(info: ConnectionInfo): Promise<void> {
  const [{ openClient }] = await Promise.all([import('../core/client/client.ts'), import('../transports/builtin.ts')]);
  await using client = await openClient(info, { output: 'ignore' });
  sayFailed(await client.paradigms());
}
