import { isIPv4 } from 'node:net';

/** A host that leads to this machine alone, whatever the network; IPv6 with its brackets or without. A name may lead anywhere. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || name === '[::1]' || (isIPv4(name) && name.startsWith('127.'));
}
