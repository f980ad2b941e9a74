/**
 * Results that others may ask for. Large ones stay until they are fetched by their client or released. Small ones have
 * left with the reply; the most recent are remembered all the same, since another engine may be about to ask.
 */
import { clientOfKey } from '../call-key.ts';
import { ValueLostError } from '../errors.ts';
import type { Payload } from '../wire/forms.ts';

export interface Outcome {
  ok: boolean;
  /** The value, or the error, encoded. */
  payload: Payload;
  bytes: number;
  /** Another engine may be reading its parts. */
  read?: boolean;
}

type Waiter = (outcome: Outcome | undefined) => void;

const RECENT = { count: 1_024, bytes: 8 << 20 };

export class Values {
  #kept = new Map<number, Outcome>();
  #recent = new Map<number, Outcome>();
  #recentBytes = 0;
  #waiting = new Map<number, Waiter[]>();
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
  }

  settled(key: number, outcome: Outcome, keep: boolean): void {
    this.#pending.delete(key);
    if (this.#left.has(clientOfKey(key))) return;
    if (keep) this.#kept.set(key, outcome);
    else this.#remember(key, outcome);
    this.#tell(key, outcome);
  }

  /** Calls back with the outcome, now or when it is there; with undefined when it has come and gone. */
  whenSettled(key: number, client: number, call: number, callback: Waiter): void {
    const outcome = this.#kept.get(key) ?? this.#recent.get(key);
    if (outcome) callback(outcome);
    else if (this.#pending.has(key) || call > (this.#seen.get(client) ?? 0)) {
      const waiters = this.#waiting.get(key);
      if (waiters) waiters.push(callback);
      else this.#waiting.set(key, [callback]);
    } else callback(undefined);
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
    for (const [key, { bytes }] of this.#recent) {
      if (clientOfKey(key) !== client) continue;
      this.#recent.delete(key);
      this.#recentBytes -= bytes;
    }
    for (const map of [this.#kept, this.#waiting]) {
      for (const key of map.keys()) if (clientOfKey(key) === client) map.delete(key);
    }
    this.#seen.delete(client);
    this.#left.add(client); // what still runs for it is nobody's
  }

  #remember(key: number, outcome: Outcome): void {
    this.#recent.set(key, outcome);
    this.#recentBytes += outcome.bytes;
    for (const [old, { bytes }] of this.#recent) {
      if (this.#recent.size <= RECENT.count && this.#recentBytes <= RECENT.bytes) break;
      this.#recent.delete(old);
      this.#recentBytes -= bytes;
    }
  }

  #tell(key: number, outcome: Outcome | undefined): void {
    const waiters = this.#waiting.get(key);
    this.#waiting.delete(key);
    for (const waiter of waiters ?? []) waiter(outcome);
  }
}
