/** One number for (client, call): both are 32 bits, and a client id stays far below 2^21. */
export function callKey(client: number, call: number): number {
  return client * 2 ** 32 + call;
}

export function clientOfKey(key: number): number {
  return Math.floor(key / 2 ** 32);
}
