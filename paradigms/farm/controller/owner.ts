/** A client as the scheduler knows it: its tasks, what it has named, and what is to be told to it. */
import type { Parcel, Party } from '../../../core/index.ts';
import { Numbered } from '../../../core/numbered.ts';
import { SettlementsLetter } from '../letters.ts';
import type { Ending, FarmEvent, Spec } from '../messages.ts';
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
  #parcel: (value: unknown) => Parcel;
  #letter = new SettlementsLetter();
  #events: FarmEvent[] = [];
  /** Numbers of batches, with the tasks whose end they told. */
  #unseen: { batch: number; calls: Uint32Array }[] = [];
  #batch = 0;

  constructor(id: number, party: Party, parcel: (value: unknown) => Parcel) {
    this.id = id;
    this.#parcel = parcel;
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
    const letter = this.#letter;
    letter.calls.push(task.call);
    letter.endings.push(ending);
    letter.engines.push(slot?.id ?? -1);
    letter.incarnations.push(slot?.incarnation ?? 0);
    letter.started.push(started);
    letter.ran.push(ran);
    letter.sizes.push(bytes);
    if (!value) letter.values.add(NOTHING);
    else if (value.source instanceof Uint8Array) letter.values.add(value.source, value.from, value.size);
    else letter.values.addParcel(value.source);
    if (letter.values.byteLength > BATCH_BYTES) this.flush();
  }

  event(event: FarmEvent): void {
    if (this.watching && this.#events.push(event) >= EVENTS) this.flush();
  }

  flush(): void {
    if (this.#letter.calls.length) {
      this.#unseen.push({ batch: ++this.#batch, calls: this.#letter.calls.list() });
      const parcels = this.#letter.values.takeParcels();
      const more = parcels.length ? this.#parcel({ parcels }) : undefined;
      this.#party.tellBytes('settled', ...this.#letter.parts(more));
    }
    if (this.#events.length) this.#party.tell('events', this.#events.splice(0));
  }

  /** The client knows of all batches up to this one: what it names from now on, it knows the place of. */
  seen(batch: number, told?: (task: Task) => void): void {
    while (this.#unseen.length && this.#unseen[0]!.batch <= batch)
      for (const call of this.#unseen.shift()!.calls) {
        const task = told && this.past.get(call);
        if (task) told(task);
        this.past.delete(call);
      }
  }

  tell(op: string, value: unknown): void {
    if (!this.gone) this.#party.tell(op, value);
  }
}

const NOTHING = new Uint8Array();
/** A batch leaves when its values are as large as that. */
const BATCH_BYTES = 4 << 20;
const EVENTS = 1_000;
