/** One task as the scheduler knows it. There may be a million of them: a field costs eight megabytes then. */
import type { Parcel } from '../../../core/index.ts';
import type { Dependency, Root, Spec } from '../messages.ts';
import type { FnRecord } from './fns.ts';
import type { Link } from './journal.ts';
import type { Owner } from './owner.ts';
import type { Slot } from './slot.ts';

/** waiting: for others. delayed: until its next run. out: on an engine. kept: done, with its value on an engine. gone: that engine was lost. */
export const State = { WAITING: 0, READY: 1, DELAYED: 2, OUT: 3, KEPT: 4, GONE: 5, OVER: 6 } as const;
export type State = (typeof State)[keyof typeof State];

export class Task {
  readonly owner: Owner;
  readonly call: number;
  readonly fn: FnRecord;
  readonly spec: Spec;
  /** Its arguments: bytes that lie among those of its batch, or a parcel. */
  source: Uint8Array | Parcel;
  from: number;
  size: number;
  state: State = State.READY;
  priority: number;
  /** Runs that were begun, as far as is known. */
  runs = 0;
  /** Where it is, or was when it ended. */
  slot: Slot | undefined;
  /** ms that it is expected to take, as its engine's load counts it. */
  expected = 0;
  /** performance.now() when it last became ready or was sent out. */
  at: number;
  /** What few tasks need. */
  more: More | undefined;

  constructor(
    owner: Owner,
    call: number,
    fn: FnRecord,
    spec: Spec,
    args: { source: Uint8Array | Parcel; from: number; size: number },
    now: number,
  ) {
    this.owner = owner;
    this.call = call;
    this.fn = fn;
    this.spec = spec;
    this.source = args.source;
    this.from = args.from;
    this.size = args.size;
    this.priority = spec.priority;
    this.at = now;
  }

  get id(): string {
    return `${this.owner.id}.${this.call}`;
  }

  get extra(): More {
    return (this.more ??= new More());
  }
}

export class More {
  /** How many of `dependencies` are still to come. */
  waits = 0;
  dependencies: readonly Dependency[] = [];
  /** Those of them that the scheduler has, in the same order. */
  predecessors: (Task | Foreign)[] = [];
  dependents: Task[] = [];
  /** Engines on which it has failed or was slow: others come first. */
  avoid: Set<number> | undefined;
  /** Engines that ended while it was, for certain, what they ran; and while it may have been. */
  kills = 0;
  suspected = 0;
  /** It has been there too often: it runs alone, so that nobody else is hit, and it is certain who it was. */
  get alone(): boolean {
    return this.suspected > 1 || this.kills > 0;
  }
  /** Runs that ended with their engine; `attempts` does not count them. */
  lost = 0;
  /** Engines that ended with it. */
  ended: number[] = [];
  /** What failed, if it did: it, or what it depends on. */
  root: Root | undefined;
  /** A run of it was done, and its engine lost before what it had printed came. */
  unheard = false;
  /** Runs that were lost for want of a value. */
  starved = 0;
  alarm: { cancel(): void } | undefined;
  deadline: { cancel(): void } | undefined;
  /** Where it waits for the cluster. */
  aside: Slot | undefined;
  /** A second copy, under way on another engine. */
  twin: Slot | undefined;
  /** Where the value was made, once it is. */
  place: { slot: Slot; incarnation: number; bytes: number } | undefined;
  /** The value itself, while others wait for it and it is small. */
  value: Parcel | undefined;
  /** Runs again for its value alone: everybody has been told how it ended. */
  again: ((settled: boolean) => void)[] | undefined;
  memo: string | undefined;
  /** In the journal, of one that an earlier controller had accepted; and what it depends on, as it stands there. */
  name: string | undefined;
  links: Link[] | undefined;
  /** The task that has submitted it, and those that it has submitted. */
  parent: Task | undefined;
  children: Set<Task> | undefined;
  /** It was told to stop, and why. */
  stopping: string | undefined;
}

/** A result that is no task of the farm: its client says when and where it is there. */
export class Foreign {
  readonly dependents: Task[] = [];
  settled = false;
  failed: Parcel | undefined;
}
