/** A client as the scheduler knows it: its tasks, what it has named, and what is to be told to it. */
import type { Parcel, Party } from '../../../core/index.ts';
import { Numbered } from '../../../core/numbered.ts';
import { Column } from '../column.ts';
import type { Ending, FarmEvent, Settlements, Spec } from '../messages.ts';
import { Pieces } from '../pieces.ts';
import type { FnRecord } from './fns.ts';
import { Lanes } from './lanes.ts';
import type { Slot } from './slot.ts';
import type { Task } from './task.ts';

export interface Value {
  source: Uint8Array | Parcel;
  from: number;
  size: number;
}

export class Owner {
  readonly id: number;
  readonly tasks = new Numbered<Task>();
  readonly fns = new Map<number, FnRecord>();
  readonly specs = new Map<number, Spec>();
  readonly lanes = new Lanes();
  /** Those that are over, while their client may not know of it yet. */
  readonly past = new Numbered<Task>();
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
  #calls = new Column(Uint32Array);
  #endings = new Column(Uint8Array);
  #engines = new Column(Int32Array);
  #incarnations = new Column(Uint32Array);
  #started = new Column(Float64Array);
  #ran = new Column(Float64Array);
  #sizes = new Column(Float64Array);
  #values = new Pieces();
  #events: FarmEvent[] = [];
  /** Numbers of batches, with the tasks whose end they told. */
  #unseen: { batch: number; calls: Uint32Array }[] = [];
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
        calls: this.#calls.empty(),
        endings: this.#endings.empty(),
        engines: this.#engines.empty(),
        incarnations: this.#incarnations.empty(),
        started: this.#started.empty(),
        ran: this.#ran.empty(),
        sizes: this.#sizes.empty(),
        values: this.#values.empty(),
      };
      this.#unseen.push({ batch: ++this.#batch, calls: settlements.calls });
      this.#party.tell('settled', settlements);
    }
    if (this.#events.length) this.#party.tell('events', this.#events.splice(0));
  }

  /** The client knows of all batches up to this one: what it names from now on, it knows the place of. */
  seen(batch: number): void {
    while (this.#unseen.length && this.#unseen[0]!.batch <= batch)
      for (const call of this.#unseen.shift()!.calls) this.past.delete(call);
  }

  tell(op: string, value: unknown): void {
    if (!this.gone) this.#party.tell(op, value);
  }
}

const NOTHING = new Uint8Array();
/** A batch leaves when its values are as large as that. */
const BATCH_BYTES = 4 << 20;
const EVENTS = 1_000;
