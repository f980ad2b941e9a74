/** What a rank holds until it lets go. */

/** For `await using`: what was acquired is released at the end of the block, unless it has been. */
export type Held = AsyncDisposable;

/** Lets go when what `section` gives has come, or when it has thrown. */
export async function whileHeld<T>(acquired: PromiseLike<Held>, section: () => T | PromiseLike<T>): Promise<T> {
  const held = await acquired;
  try {
    return await section();
  } finally {
    await held[Symbol.asyncDispose]();
  }
}
