/** What one client has outstanding: calls, and results that stayed on engines. */
export class Account {
  /** Calls not answered, once for each target. */
  pending = 0;
  /** The highest call so far; they count up. */
  lastCall = 0;
  retainedBytes = 0;
  /** Code of its was not kept: it had sent too much. */
  codeRefused = false;
  #retained = new Map<number, Map<number, number>>();

  retain(engine: number, call: number, bytes: number): void {
    this.release(engine, new Set([call]));
    const calls = this.#retained.get(engine);
    if (calls) calls.set(call, bytes);
    else this.#retained.set(engine, new Map([[call, bytes]]));
    this.retainedBytes += bytes;
  }

  /** Bytes of a result that stayed there; 0 when there is none. */
  bytesOf(engine: number, call: number): number {
    return this.#retained.get(engine)?.get(call) ?? 0;
  }

  /** Those of the calls whose results were there, and are not counted any more. */
  release(engine: number, ids: ReadonlySet<number>): number[] {
    const calls = this.#retained.get(engine);
    if (!calls) return [];
    const fewer: Iterable<number> = ids.size < calls.size ? ids : calls.keys();
    const gone = [...fewer].filter((id) => ids.has(id) && calls.has(id));
    for (const id of gone) {
      this.retainedBytes -= calls.get(id)!;
      calls.delete(id);
    }
    if (!calls.size) this.#retained.delete(engine);
    return gone;
  }

  engineLost(engine: number): void {
    const calls = this.#retained.get(engine);
    if (calls) this.release(engine, new Set(calls.keys()));
  }
}
