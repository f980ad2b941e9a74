/** What a client knows of its cluster: the engines, and what happens to them and to others. */
import { defer, type Observable, Subject, startWith } from 'rxjs';
import type { ClusterEvent, EngineInfo } from '../cluster-info.ts';
import { decode } from '../wire/codec.ts';
import type { Payload } from '../wire/forms.ts';
import { changedEngines } from './engine-list.ts';

export class ClusterNews {
  engines: readonly EngineInfo[] = [];
  /** The engines now, and at each change. */
  readonly engines$: Observable<readonly EngineInfo[]>;
  readonly events$: Observable<ClusterEvent>;
  #engines = new Subject<readonly EngineInfo[]>();
  #events = new Subject<ClusterEvent>();
  #first: (event: ClusterEvent) => void;

  /** `first` hears of an event before all others do. */
  constructor(first: (event: ClusterEvent) => void) {
    this.#first = first;
    this.engines$ = defer(() => this.#engines.pipe(startWith(this.engines)));
    this.events$ = this.#events.asObservable();
  }

  /** EVENT `changed` of the controller. Events of a paradigm may be of classes that only its users know. */
  changed(payload: Payload, paradigm: string): void {
    let events: ClusterEvent[];
    try {
      ({ events } = decode(payload) as { events: ClusterEvent[] });
    } catch (error) {
      if (paradigm) return;
      throw error;
    }
    const engines = changedEngines(this.engines, events);
    if (engines !== this.engines) this.#engines.next((this.engines = engines));
    for (const event of events) this.tell(event);
  }

  tell(event: ClusterEvent): void {
    this.#first(event);
    this.#events.next(event);
  }

  end(): void {
    this.#engines.complete();
    this.#events.complete();
  }
}
