/** The origin of the page (or worker) that we run in, by which listeners tell whom they let in. */
export function pageOrigin(): string {
  return (globalThis as unknown as { location: { origin: string } }).location.origin;
}
