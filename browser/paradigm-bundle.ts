/** A page cannot build the engine half of a paradigm: the controller does, or another client has. */
export function bundleHalf(): undefined {
  return undefined;
}
