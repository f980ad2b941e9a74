/** What is to be told of runs that have ended: gathered, and sent together. */
import type { EngineHost, Parcel } from '../../../core/index.ts';
import { ReportLetter } from '../letters.ts';
import type { Ending } from '../messages.ts';
import type { Item } from './item.ts';

const NOTHING = new Uint8Array();

export class Reports {
  #host: EngineHost;
  #slot = 0;
  #letter = new ReportLetter();
  /** Of tasks that it was asked for: it answers even if there are none. */
  #gaveBack = false;

  constructor(host: EngineHost) {
    this.#host = host;
  }

  add(item: Item, ending: Ending, ran: number, value: Parcel | undefined, bytes: number): void {
    const { tickets, endings, started, ran: times, sizes, values } = this.#letter;
    tickets.push(item.ticket);
    endings.push(ending);
    started.push(item.started);
    times.push(ran);
    sizes.push(bytes);
    if (item.said) this.#letter.tells(item.said);
    if (value) values.addParcel(value);
    else values.add(NOTHING);
  }

  giveBack(tickets: readonly number[]): void {
    this.#gaveBack = true;
    for (const ticket of tickets) this.#letter.returned.push(ticket);
  }

  /** Who gave the orders. */
  about(slot: number): void {
    this.#slot = slot;
  }

  get empty(): boolean {
    return !this.#letter.tickets.length;
  }

  flush(): void {
    if (!this.#letter.tickets.length && !this.#gaveBack) return;
    this.#gaveBack = false;
    const parcels = this.#letter.values.takeParcels();
    const more = parcels.length ? this.#host.parcel({ parcels }) : undefined;
    this.#host.controller.tellBytes('done', ...this.#letter.parts(this.#slot, more));
  }
}
