/** What is to be told of runs that have ended: gathered, and sent together. */
import type { EngineHost, Parcel } from '../../../core/index.ts';
import { Column } from '../column.ts';
import type { Ending, Report } from '../messages.ts';
import { Pieces } from '../pieces.ts';
import type { Item } from './item.ts';

const NOTHING = new Uint8Array();

export class Reports {
  #host: EngineHost;
  #slot = 0;
  #tickets = new Column(Uint32Array);
  #endings = new Column(Uint8Array);
  #started = new Column(Float64Array);
  #ran = new Column(Float64Array);
  #sizes = new Column(Float64Array);
  #values = new Pieces();
  #returned: number[] | undefined;

  constructor(host: EngineHost) {
    this.#host = host;
  }

  add(item: Item, ending: Ending, ran: number, value: Parcel | undefined, bytes: number): void {
    this.#tickets.push(item.ticket);
    this.#endings.push(ending);
    this.#started.push(item.started);
    this.#ran.push(ran);
    this.#sizes.push(bytes);
    if (value) this.#values.addParcel(value);
    else this.#values.add(NOTHING);
  }

  giveBack(tickets: number[]): void {
    this.#returned = [...(this.#returned ?? []), ...tickets];
  }

  /** Who gave the orders. */
  about(slot: number): void {
    this.#slot = slot;
  }

  flush(): void {
    if (!this.#tickets.length && !this.#returned) return;
    const report: Report = {
      slot: this.#slot,
      tickets: this.#tickets.empty(),
      endings: this.#endings.empty(),
      started: this.#started.empty(),
      ran: this.#ran.empty(),
      sizes: this.#sizes.empty(),
      values: this.#values.empty(),
      returned: this.#returned ?? [],
    };
    this.#returned = undefined;
    this.#host.controller.tell('done', report);
  }
}
