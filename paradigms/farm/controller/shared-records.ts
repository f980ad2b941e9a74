/** What many tasks in the journal have in common, their functions for one: each is written once, under a name from its content. */

export class SharedRecords<T extends object> {
  #prefix: string;
  #change: (key: string, value: unknown) => void;
  #names = new WeakMap<T, string>();
  /** Tasks that need each. */
  #uses = new Map<string, number>();

  /** `change` writes a record, or with undefined removes it. */
  constructor(prefix: string, change: (key: string, value: unknown) => void) {
    this.#prefix = prefix;
    this.#change = change;
  }

  /** One more task needs it. `name` and `record` are asked for when it is new. */
  use(value: T, name: () => string, record: () => unknown): string {
    let known = this.#names.get(value);
    if (known === undefined) this.#names.set(value, (known = name()));
    const uses = this.#uses.get(known);
    if (uses === undefined) this.#change(this.#prefix + known, record());
    this.#uses.set(known, (uses ?? 0) + 1);
    return known;
  }

  /** What is in the store: it was written under this name. */
  found(value: T, name: string): void {
    this.#names.set(value, name);
    this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
  }

  done(value: T): void {
    const name = this.#names.get(value);
    const uses = name === undefined ? undefined : this.#uses.get(name);
    if (uses === undefined) return;
    this.#uses.set(name!, uses - 1);
    if (this.#uses.size > UNUSED) this.#sweep();
  }

  remove(name: string): void {
    this.#uses.delete(name);
    this.#change(this.#prefix + name, undefined);
  }

  /** The next task often needs the same: only many are worth it. */
  #sweep(): void {
    for (const [name, uses] of this.#uses) if (!uses) this.remove(name);
  }
}

const UNUSED = 1_000;
