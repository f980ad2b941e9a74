/** One number for a client and a call of its. */
export function callKey(client: number, call: number): number {
  return client * 2 ** 32 + call;
}
