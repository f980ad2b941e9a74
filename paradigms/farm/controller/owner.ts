/** A client as the scheduler knows it: its tasks, what it has named, and what is to be told to it. */
import type { Parcel, Party } from '../../../core/index.ts';
import type { Ending, FarmEvent, Settlements, Spec } from '../messages.ts';
import { Pieces } from '../pieces.ts';
import type { FnRecord } from './fns.ts';
import { Lanes } from './lanes.ts';
import type { Slot } from './slot.ts';
import type { Task } from './task.ts';

/** A task that is over, while its client may not know of it yet. */
export interface Past {
  readonly ending: Ending;
  readonly engine: number;
  readonly place: { slot: Slot; incarnation: number; bytes: number } | undefined;
  readonly failed: Parcel | undefined;
  /** For its value to be made again. */
  readonly task: Task;
}

export interface Value {
  source: Uint8Array | Parcel;
  from: number;
  size: number;
}

export class Owner {
  readonly id: number;
  readonly tasks = new Map<number, Task>();
  readonly fns = new Map<number, FnRecord>();
  readonly specs = new Map<number, Spec>();
  readonly lanes = new Lanes();
  readonly past = new Map<number, Past>();
  /** ms of engines' time that it was given, as far as fairness counts it. */
  served = 0;
  /** It has left; what is detached goes on. */
  gone = false;
  /** The round of dispatching in which nothing of it could go. */
  blocked = -1;
  /** Something of it may be in its lanes. */
  active = false;
  watching = false;
  #party: Party;
  #calls: number[] = [];
  #endings: number[] = [];
  #engines: number[] = [];
  #incarnations: number[] = [];
  #started: number[] = [];
  #ran: number[] = [];
  #sizes: number[] = [];
  #values = new Pieces();
  #events: FarmEvent[] = [];
  /** Numbers of batches, with the tasks whose end they told. */
  #unseen: { batch: number; calls: readonly number[] }[] = [];
  #batch = 0;

  constructor(id: number, party: Party) {
    this.id = id;
    this.#party = party;
  }

  settled(
    task: Task,
    ending: Ending,
    value: Value | undefined,
    slot: Slot | undefined,
    started: number,
    ran: number,
    bytes: number,
  ): void {
    if (this.gone) return;
    this.#calls.push(task.call);
    this.#endings.push(ending);
    this.#engines.push(slot?.id ?? -1);
    this.#incarnations.push(slot?.incarnation ?? 0);
    this.#started.push(started);
    this.#ran.push(ran);
    this.#sizes.push(bytes);
    if (!value) this.#values.add(NOTHING);
    else if (value.source instanceof Uint8Array) this.#values.add(value.source, value.from, value.size);
    else this.#values.addParcel(value.source);
    if (this.#values.bytes > BATCH_BYTES) this.flush();
  }

  event(event: FarmEvent): void {
    if (this.watching && this.#events.push(event) >= EVENTS) this.flush();
  }

  flush(): void {
    if (this.#calls.length) {
      const settlements: Settlements = {
        calls: Uint32Array.from(this.#calls),
        endings: Uint8Array.from(this.#endings),
        engines: Int32Array.from(this.#engines),
        incarnations: Uint32Array.from(this.#incarnations),
        started: Float64Array.from(this.#started),
        ran: Float64Array.from(this.#ran),
        sizes: Float64Array.from(this.#sizes),
        values: this.#values.take(),
      };
      this.#unseen.push({ batch: ++this.#batch, calls: this.#calls });
      this.#calls = [];
      this.#endings = [];
      this.#engines = [];
      this.#incarnations = [];
      this.#started = [];
      this.#ran = [];
      this.#sizes = [];
      this.#party.tell('settled', settlements);
    }
    if (this.#events.length) this.#party.tell('events', this.#events.splice(0));
  }

  /** The client knows of all batches up to this one: what it names from now on, it knows the place of. */
  seen(batch: number, told?: (task: Task) => void): void {
    while (this.#unseen.length && this.#unseen[0]!.batch <= batch)
      for (const call of this.#unseen.shift()!.calls) {
        if (told) this.#tell(call, told);
        this.past.delete(call);
      }
  }

  #tell(call: number, told: (task: Task) => void): void {
    const past = this.past.get(call);
    if (past) told(past.task);
  }

  tell(op: string, value: unknown): void {
    if (!this.gone) this.#party.tell(op, value);
  }
}

const NOTHING = new Uint8Array();
/** A batch leaves when its values are as large as that. */
const BATCH_BYTES = 4 << 20;
const EVENTS = 1_000;
