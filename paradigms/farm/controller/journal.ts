/**
 * What detached tasks leave in the store: each from its acceptance until its outcome has been collected, so that a controller that
 * is started anew goes on where this one was. Written in the order in which things happen, many changes at a time.
 */
import { type Change, type ControllerHost, Parcel, type Store } from '../../../core/index.ts';
import type { Ending, Spec } from '../messages.ts';
import type { Task } from './task.ts';

/** A task that was accepted, by an earlier controller perhaps. */
export interface Accepted {
  readonly name: string;
  readonly fn: string;
  readonly spec: Spec;
  readonly args: Parcel;
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

const TASK = 't/';
const FN = 'f/';
const DONE = 'd/';
const RUN = 'run';
/** Outcomes that wait to be collected; then the oldest is dropped. */
const OUTCOMES = 100_000;

export class Journal {
  #host: ControllerHost;
  #store: Store | undefined;
  #run = 1;
  #changes = new Map<string, Uint8Array | undefined>();
  #written: Promise<void> = Promise.resolve();
  #due = false;
  #fns = new Set<string>();
  /** Outcomes that wait to be collected, by name: their labels. */
  readonly done = new Map<string, string | undefined>();

  constructor(host: ControllerHost) {
    this.#host = host;
  }

  /** Opens the store; what an earlier controller had accepted and not finished comes back. */
  async open(): Promise<{ tasks: Accepted[]; fns: Map<string, Parcel> }> {
    const store = (this.#store = await this.#host.store());
    const run = await store.get(RUN);
    this.#run = run ? (this.#read(run) as number) + 1 : 1;
    this.#put(RUN, this.#run);
    const fns = new Map<string, Parcel>();
    for await (const [key, bytes] of store.entries({ prefix: FN }))
      fns.set(key.slice(FN.length), this.#read(bytes) as Parcel);
    for (const name of fns.keys()) this.#fns.add(name);
    const tasks: Accepted[] = [];
    for await (const [key, bytes] of store.entries({ prefix: TASK }))
      tasks.push({ name: key.slice(TASK.length), ...(this.#read(bytes) as Omit<Accepted, 'name'>) });
    for await (const [key, bytes] of store.entries({ prefix: DONE }))
      this.done.set(key.slice(DONE.length), (this.#read(bytes) as Collected).label);
    await this.flushed();
    return { tasks, fns };
  }

  /** The name of a task of this run, for ever. */
  nameOf(task: Task): string {
    return task.more?.name ?? `${this.#prefix}${task.id}`;
  }

  get #prefix(): string {
    return `${String(this.#run).padStart(6, '0')}/`;
  }

  accepted(task: Task): void {
    const { fn, source, from, size, spec } = task;
    const name = this.nameOf(task);
    const fnName = fn.parcel.code.join('-') || name;
    if (!this.#fns.has(fnName)) {
      this.#fns.add(fnName);
      this.#put(FN + fnName, fn.parcel);
    }
    const args = source instanceof Uint8Array ? Parcel.of(source.slice(from, from + size)) : source;
    this.#put(TASK + name, { fn: fnName, spec, args });
  }

  finished(task: Task, outcome: Omit<Collected, 'name' | 'label'>): void {
    const name = this.nameOf(task);
    const { label } = task.spec;
    this.#change(TASK + name, undefined);
    this.#put(DONE + name, { name, ...(label !== undefined && { label }), ...outcome });
    this.done.set(name, label);
    const oldest = this.done.size > OUTCOMES ? this.done.keys().next().value : undefined;
    if (oldest !== undefined) this.#forget(oldest);
  }

  /** The outcome of a task of this run is with its client. */
  drop(id: string): void {
    this.#forget(`${this.#prefix}${id}`);
  }

  #forget(name: string): void {
    if (this.done.delete(name)) this.#change(DONE + name, undefined);
  }

  /** What a client means by an id or a label, of any run: the latest first. */
  find(id: string): string | undefined {
    let found: string | undefined;
    for (const [name, label] of this.done) if (name.endsWith(`/${id}`) || name === id || label === id) found = name;
    return found;
  }

  async take(name: string): Promise<Collected | undefined> {
    await this.flushed();
    const bytes = await this.#store?.get(DONE + name);
    if (!bytes) return undefined;
    this.#forget(name);
    return this.#read(bytes) as Collected;
  }

  /** Resolves when all that was accepted is in the store. */
  flushed(): Promise<void> {
    this.#flush();
    return this.#written;
  }

  #put(key: string, value: unknown): void {
    this.#change(key, pack(this.#host.parcel(value)));
  }

  #change(key: string, value: Uint8Array | undefined): void {
    this.#changes.set(key, value);
    if (this.#due) return;
    this.#due = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#due = false;
    if (!this.#changes.size || !this.#store) return;
    const changes: Change[] = [...this.#changes].map(([key, value]) => ({ key, value }));
    this.#changes.clear();
    const write = this.#store.write(changes);
    this.#written = Promise.all([this.#written, write]).then(() => {});
    this.#written.catch((error) => this.#host.log.error('The journal of the farm cannot be written', { error }));
  }

  #read(bytes: Uint8Array): unknown {
    return this.#host.read(unpack(bytes));
  }
}

/** Its parts in a row, after their number and sizes. */
function pack({ payload: { parts } }: Parcel): Uint8Array {
  const head = 4 * (1 + parts.length);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, head));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, parts.length);
  let at = head;
  for (const [i, part] of parts.entries()) {
    view.setUint32(4 * (1 + i), part.length);
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function unpack(bytes: Uint8Array): Parcel {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const count = view.getUint32(0);
  let at = 4 * (1 + count);
  const parts: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const size = view.getUint32(4 * (1 + i));
    parts.push(bytes.slice(at, at + size));
    at += size;
  }
  return new Parcel({ codec: 'msgpack', parts });
}
