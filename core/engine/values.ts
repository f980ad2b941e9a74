/**
 * Results that others may ask for. Large ones stay until they are fetched by their client or released. Small ones have
 * left with the reply; the most recent are remembered all the same, since another engine may be about to ask.
 */
import { clientOfKey } from '../call-key.ts';
import { ValueLostError } from '../errors.ts';
import type { Payload } from '../wire/forms.ts';
import { Recent } from './recent.ts';

export interface Outcome {
  ok: boolean;
  /** The value, or the error, encoded. */
  payload: Payload;
  bytes: number;
  /** Another engine may be reading its parts. */
  read?: boolean;
}

type Waiter = (outcome: Outcome | undefined) => void;

/** Clients that have left, remembered for others who still ask for their results. */
const LEFT = 65_536;

export class Values {
  #kept = new Map<number, Outcome>();
  #recent = new Recent({ count: 1_024, bytes: 8 << 20 });
  #waiting = new Map<number, Waiter[]>();
  /** Those of them whose call has not arrived yet. */
  #early = new Set<number>();
  /** Highest call seen of each client: a call beyond it has not arrived yet, one below it has come and gone. */
  #seen = new Map<number, number>();
  #pending = new Set<number>();
  #left = new Set<number>();

  /** Bytes kept until they are fetched or released. */
  get keptBytes(): number {
    let total = 0;
    for (const { bytes } of this.#kept.values()) total += bytes;
    return total;
  }

  arrived(key: number, client: number, call: number): void {
    this.#pending.add(key);
    this.#seen.set(client, Math.max(call, this.#seen.get(client) ?? 0));
    for (const waited of this.#early) {
      if (clientOfKey(waited) !== client || waited > key) continue;
      this.#early.delete(waited);
      // Calls come in order: an earlier one will not come any more.
      if (waited !== key) this.#tell(waited, undefined);
    }
  }

  settled(key: number, outcome: Outcome, keep: boolean): void {
    this.#pending.delete(key);
    if (this.#left.has(clientOfKey(key))) return; // what still ran for it is nobody's
    if (keep) this.#kept.set(key, outcome);
    else this.#recent.add(key, outcome);
    if (this.#waiting.size) this.#tell(key, outcome);
  }

  /** Calls back with the outcome, now or when it is there; with undefined when it has come and gone. */
  whenSettled(key: number, client: number, call: number, callback: Waiter): void {
    const outcome = this.#kept.get(key) ?? this.#recent.find(key);
    const early = call > (this.#seen.get(client) ?? 0);
    if (outcome) callback(outcome);
    else if (!this.#left.has(client) && (early || this.#pending.has(key))) {
      const waiters = this.#waiting.get(key);
      if (waiters) waiters.push(callback);
      else this.#waiting.set(key, [callback]);
      if (early) this.#early.add(key);
    } else callback(undefined);
  }

  /** The outcome, if it is here now. */
  find(key: number): Outcome | undefined {
    return this.#kept.get(key) ?? this.#recent.find(key);
  }

  /** Gives a kept value away. */
  take(key: number): Outcome {
    const outcome = this.#kept.get(key);
    if (!outcome) throw new ValueLostError('The result was released, or fetched before');
    this.#kept.delete(key);
    return outcome;
  }

  release(key: number): void {
    this.#kept.delete(key);
  }

  clientLeft(client: number): void {
    this.#recent.dropWhere((key) => clientOfKey(key) === client);
    for (const key of this.#kept.keys()) if (clientOfKey(key) === client) this.#kept.delete(key);
    this.#seen.delete(client);
    this.#left.add(client);
    for (const oldest of this.#left) {
      if (this.#left.size <= LEFT) break;
      this.#left.delete(oldest);
    }
    for (const key of [...this.#waiting.keys()]) if (clientOfKey(key) === client) this.#tell(key, undefined);
  }

  #tell(key: number, outcome: Outcome | undefined): void {
    const waiters = this.#waiting.get(key);
    this.#waiting.delete(key);
    this.#early.delete(key);
    for (const waiter of waiters ?? []) waiter(outcome);
  }
}
