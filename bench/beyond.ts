/** What lies beyond one machine: `npm run bench -- beyond`. Each part has a file of its own. */
import { beyondHosts } from './beyond-hosts.ts';
import { beyondNats } from './beyond-nats.ts';

export async function beyond(): Promise<void> {
  await beyondNats();
  await beyondHosts();
}
