/**
 * What the farm leaves in the store: each task from its acceptance on, and its outcome until somebody has that, so that a
 * controller that is started anew goes on where this one was. Written in the order in which things happen, many changes at a time.
 */
import { createHash } from 'node:crypto';
import type { Change, ControllerHost, Parcel, Store } from '../../../core/index.ts';
import type { Dependency, Ending, Spec } from '../messages.ts';
import type { FnRecord } from './fns.ts';
import type { Run } from './outcomes.ts';
import type { Value } from './owner.ts';
import { packRecord, readRecord } from './records.ts';
import { SharedRecords } from './shared-records.ts';
import type { Task } from './task.ts';

/** A task that an earlier controller had accepted and not finished. */
export interface Accepted {
  readonly name: string;
  /** Its function and spec, by their names. */
  readonly fn: string;
  readonly spec: string;
  readonly args: Parcel;
  readonly after?: readonly Link[];
}

/** A dependency, with the name of its task; results that are no tasks have none. */
export type Link = Pick<Dependency, 'client' | 'call' | 'as'> & { readonly name?: string };

export interface FnText {
  readonly name: string;
  readonly parcel: Parcel;
}

export interface Collected {
  readonly name: string;
  readonly label?: string;
  readonly ending: Ending;
  readonly engine: number;
  readonly value: Parcel | undefined;
  readonly started: number;
  readonly ran: number;
}

type OutcomeHead = Omit<Collected, 'name' | 'value'>;

export interface Found {
  readonly tasks: readonly Accepted[];
  readonly fns: ReadonlyMap<string, FnText>;
  readonly specs: ReadonlyMap<string, Spec>;
}

const TASK = 't/';
const FN = 'f/';
const SPEC = 's/';
const DONE = 'd/';
const RUN = 'run';
/** Outcomes that wait to be collected; then the oldest is dropped. */
const OUTCOMES = 100_000;

export class Journal {
  /** How many controllers there have been, with this one. */
  run = 1;
  readonly fns: SharedRecords<FnRecord>;
  readonly specs: SharedRecords<Spec>;
  /** Outcomes that wait to be collected, by name: their labels. */
  readonly done = new Map<string, string | undefined>();
  /** Those that are in it. */
  #tasks = new Set<Task>();
  #host: ControllerHost;
  #store: Store | undefined;
  #changes = new Map<string, Uint8Array | undefined>();
  #written: Promise<void> = Promise.resolve();
  #writing = 0;
  #due = false;
  /** How many unfinished tasks may want this one's value, and what is to go when none does. */
  #wanted = new Map<string, number>();
  #unwanted = new Set<string>();

  constructor(host: ControllerHost) {
    this.#host = host;
    const change = (key: string, value: unknown): void =>
      value === undefined ? this.#remove(key) : this.#put(key, undefined, host.parcel(value));
    this.fns = new SharedRecords(FN, change);
    this.specs = new SharedRecords(SPEC, change);
  }

  /** Opens the store; what an earlier controller had accepted and not finished comes back. */
  async open(): Promise<Found> {
    const store = (this.#store = await this.#host.store());
    const run = await store.get(RUN);
    this.run = run ? readRecord<number>(this.#host, run).head + 1 : 1;
    this.#put(RUN, this.run);
    const all = async <T>(prefix: string, read: (bytes: Uint8Array, name: string) => T): Promise<Map<string, T>> => {
      const found = new Map<string, T>();
      for await (const [key, bytes] of store.entries({ prefix })) {
        const name = key.slice(prefix.length);
        found.set(name, read(bytes, name));
      }
      return found;
    };
    const shared = (bytes: Uint8Array): any => this.#host.read(readRecord(this.#host, bytes).value!);
    const accepted = await all<Accepted>(TASK, (bytes, name) => {
      const { head, value } = readRecord<Omit<Accepted, 'name' | 'args'>>(this.#host, bytes);
      return { ...head, name, args: value! };
    });
    const tasks = [...accepted.values()];
    const fns = await all<FnText>(FN, shared);
    const specs = await all<Spec>(SPEC, shared);
    for (const name of fns.keys()) if (!tasks.some(({ fn }) => fn === name)) this.fns.remove(name);
    for (const name of specs.keys()) if (!tasks.some(({ spec }) => spec === name)) this.specs.remove(name);
    for (const { after = [] } of tasks) this.#want(after, 1);
    for await (const [key, bytes] of store.entries({ prefix: DONE }))
      this.done.set(key.slice(DONE.length), readRecord<OutcomeHead>(this.#host, bytes).head.label);
    await this.flushed();
    return { tasks, fns, specs };
  }

  /** The name of a task of this run, for ever. */
  nameOf(task: Task): string {
    return task.more?.name ?? this.named(task.id);
  }
  named(id: string): string {
    return `${String(this.run).padStart(6, '0')}/${id}`;
  }

  accepted(task: Task): void {
    const { fn, source, spec } = task;
    this.#tasks.add(task);
    const after = this.#linksOf(task);
    this.#want(after, 1);
    const { retryIf } = spec;
    const head = {
      fn: this.fns.use(
        fn,
        () => contentOf(fn.parcel),
        () => ({ name: fn.name, parcel: this.#host.whole(fn.parcel) }),
      ),
      spec: this.specs.use(
        spec,
        () => hashOf(JSON.stringify({ ...spec, retryIf: undefined }), retryIf ? contentOf(retryIf) : ''),
        () => (retryIf ? { ...spec, retryIf: this.#host.whole(retryIf) } : spec),
      ),
      ...(after.length && { after }),
    };
    this.#put(TASK + this.nameOf(task), head, source instanceof Uint8Array ? task : this.#host.whole(source));
  }

  /** It is there already, under its name, and its function and spec under theirs. */
  found(task: Task, { fn, spec }: Accepted): void {
    this.#tasks.add(task);
    this.fns.found(task.fn, fn);
    this.specs.found(task.spec, spec);
  }

  /** Its outcome stays until it is dropped; `listed`: until somebody collects it. */
  finished(task: Task, { ending, slot, value, started, ran }: Run, listed: boolean): void {
    const name = this.nameOf(task);
    const { label } = task.spec;
    this.abandoned(task);
    const head: OutcomeHead = { ending, engine: slot?.id ?? -1, started, ran, ...(label !== undefined && { label }) };
    this.#put(DONE + name, head, value);
    if (!listed) return;
    this.done.set(name, label);
    const oldest = this.done.size > OUTCOMES ? this.done.keys().next().value : undefined;
    if (oldest !== undefined) this.drop(oldest);
  }

  /** It will not run, and nobody will ask what became of it. */
  abandoned(task: Task): void {
    if (!this.#tasks.delete(task)) return;
    this.#remove(TASK + this.nameOf(task));
    this.fns.done(task.fn);
    this.specs.done(task.spec);
    this.#want(this.#linksOf(task), -1);
  }

  /** Who wanted the outcome has it. */
  drop(name: string): void {
    this.done.delete(name);
    if (this.#wanted.has(name)) this.#unwanted.add(name);
    else this.#remove(DONE + name);
  }

  /** What a client means by an id or a label, of any run: the latest first. */
  find(id: string): string | undefined {
    let found: string | undefined;
    for (const [name, label] of this.done) if (name.endsWith(`/${id}`) || name === id || label === id) found = name;
    return found;
  }

  async take(name: string): Promise<Collected | undefined> {
    const outcome = await this.outcome(name);
    if (outcome) this.drop(name);
    return outcome;
  }

  async outcome(name: string): Promise<Collected | undefined> {
    await this.flushed();
    const bytes = await this.#store?.get(DONE + name);
    if (!bytes) return undefined;
    const { head, value } = readRecord<OutcomeHead>(this.#host, bytes);
    return { name, ...head, value };
  }

  /** Resolves when all that was accepted is in the store. */
  flushed(): Promise<void> {
    this.#flush();
    return this.#written;
  }

  #linksOf({ more }: Task): Link[] {
    if (more?.links) return more.links;
    return (more?.dependencies ?? []).map(({ client, call, as }, i) => {
      const before = more!.predecessors[i];
      return { client, call, as, ...(before && 'runs' in before && { name: this.nameOf(before) }) };
    });
  }

  /** Values among arguments must be there as long as the task may have to run. */
  #want(links: readonly Link[], by: 1 | -1): void {
    for (const { name } of links) {
      if (name === undefined) continue;
      const count = (this.#wanted.get(name) ?? 0) + by;
      if (count > 0) this.#wanted.set(name, count);
      else {
        this.#wanted.delete(name);
        if (this.#unwanted.delete(name)) this.#remove(DONE + name);
      }
    }
  }

  #put(key: string, head: unknown, value?: Value | Parcel): void {
    this.#change(key, packRecord(this.#host, head, value));
  }

  /** What has not been written yet need not be. */
  #remove(key: string): void {
    if (this.#changes.get(key)) this.#changes.delete(key);
    else this.#change(key, undefined);
  }

  /** What comes while something is written is written together. */
  #change(key: string, value: Uint8Array | undefined): void {
    this.#changes.set(key, value);
    if (this.#due || this.#writing) return;
    this.#due = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#due = false;
    if (!this.#changes.size || !this.#store) return;
    const changes: Change[] = [...this.#changes].map(([key, value]) => ({ key, value }));
    this.#changes.clear();
    this.#writing++;
    const write = this.#store.write(changes).finally(() => {
      if (!--this.#writing) this.#flush();
    });
    this.#written = Promise.all([this.#written, write]).then(() => {});
    this.#written.catch((error) => this.#host.log.error('The journal of the farm cannot be written', { error }));
  }
}

/** Functions of one text may have captured different values. */
function contentOf({ code, payload }: Parcel): string {
  return hashOf(code.join(), ...payload.parts);
}

function hashOf(...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('base64url');
}
