/**
 * Node's queue of callbacks of `setImmediate` does not survive a termination within one of them: what waits behind it is lost, and
 * the next turn ends the process. Its loop sets the queue right in a `finally`, which a termination skips; so that is done
 * before, in the loop's own frame.
 */

/** In a callback; in what one of them has left to do before the next one; or the loop is not as expected. */
export type Where = 'callback' | 'between' | 'unknown' | undefined;

/**
 * To be evaluated in the frame of `processImmediate`, whose variables these are. In a callback `prevImmediate` is the one that
 * runs; in between, the next one may have been cleared, and then only the one before it knows what follows.
 */
export const QUEUE_GOES_ON = `(() => {
  try {
    const next = prevImmediate._idleNext;
    if (typeof immediate._destroyed !== 'boolean' || typeof next !== 'object' || !('head' in outstandingQueue)) return 'unknown';
    if (immediate._destroyed) outstandingQueue.head = next;
    return prevImmediate === immediate ? 'callback' : 'between';
  } catch {
    return 'unknown';
  }
})()`;
