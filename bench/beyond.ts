/** Beyond one machine: `npm run bench -- beyond`. */
import { beyondHosts } from './beyond-hosts.ts';

export async function beyond(): Promise<void> {
  await beyondHosts();
}
