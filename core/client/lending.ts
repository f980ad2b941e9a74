/** Calls whose values other calls under way use: they must not be released before, and small values are asked of us. */
import type { Call } from './call.ts';

export class Lending {
  /** Those whose users are not known: they are in parcels and one-way messages. */
  #shown = new Map<number, WeakRef<Call>>();
  #forgotten = new FinalizationRegistry<number>((id) => this.#shown.delete(id));
  #lent = new Map<number, { call: Call; users: number; release: number[] }>();
  #release: (id: number, engines: number[]) => void;

  constructor(release: (id: number, engines: number[]) => void) {
    this.#release = release;
  }

  borrow(user: Pick<Call, 'uses'>): void {
    for (const call of user.uses) {
      const entry = this.#lent.get(call.id) ?? { call, users: 0, release: [] };
      entry.users++;
      this.#lent.set(call.id, entry);
    }
  }

  giveBack(user: Pick<Call, 'uses'>): void {
    for (const { id } of user.uses) {
      const entry = this.#lent.get(id);
      if (!entry || --entry.users) continue;
      this.#lent.delete(id);
      if (entry.release.length) this.#release(id, entry.release);
    }
  }

  /** May be asked for as long as it is there. */
  show(call: Call): void {
    if (this.#shown.has(call.id)) return;
    this.#shown.set(call.id, new WeakRef(call));
    this.#forgotten.register(call, call.id);
  }

  /** The call, while others use it. */
  find(id: number): Call | undefined {
    return this.#lent.get(id)?.call ?? this.#shown.get(id)?.deref();
  }

  /** Releases now, or when nobody uses it any more. */
  release(call: Call, engines: number[]): void {
    const entry = this.#lent.get(call.id);
    if (entry) entry.release.push(...engines);
    else this.#release(call.id, engines);
  }
}
