/** What an earlier controller had accepted goes on: nobody is there who submitted it, but it may be collected. */
import { type ControllerHost, type Parcel, ValueLostError } from '../../../core/index.ts';
import { type Dependency, Ending, type Root } from '../messages.ts';
import { FnRecord } from './fns.ts';
import type { Accepted, Journal, Link } from './journal.ts';
import type { Outcomes } from './outcomes.ts';
import { Owner } from './owner.ts';
import type { Scheduler } from './scheduler.ts';
import type { Stops } from './stops.ts';
import { State, Task } from './task.ts';

/** Ids of clients whose tasks have outlived their controller: no client has such a one. */
const STRANGERS = 2 ** 20;

export class Resumption {
  #host: ControllerHost;
  #scheduler: Scheduler;
  #outcomes: Outcomes;
  #stops: Stops;
  #journal: Journal;
  #strangers = new Map<string, Owner>();
  #tasks = new Map<string, Task>();

  constructor(
    host: ControllerHost,
    parts: { scheduler: Scheduler; outcomes: Outcomes; stops: Stops; journal: Journal },
  ) {
    this.#host = host;
    this.#scheduler = parts.scheduler;
    this.#outcomes = parts.outcomes;
    this.#stops = parts.stops;
    this.#journal = parts.journal;
  }

  async resume(): Promise<void> {
    const { tasks, fns, specs } = await this.#journal.open();
    const records = new Map<string, FnRecord>();
    for (const [name, fn] of fns) records.set(name, new FnRecord(fn.name, fn.parcel));
    const found: [Task, Accepted][] = [];
    for (const accepted of tasks) {
      const record = records.get(accepted.fn);
      const spec = specs.get(accepted.spec);
      if (!record || !spec) throw new Error(`The journal has no function or spec of task ${accepted.name}`);
      const task = this.#taskOf(accepted.name, record, spec, accepted.args);
      this.#journal.found(task, accepted);
      found.push([task, accepted]);
    }
    for (const [task, { after }] of found) {
      if (task.spec.deadline !== undefined) this.#stops.deadline(task);
      const failed = after && (await this.#link(task, after));
      if (failed) this.#outcomes.failWith(task, failed);
      else if (task.more!.waits) task.state = State.WAITING;
      else this.#scheduler.enqueue(task);
    }
    if (tasks.length) this.#host.log.info(`The farm goes on with ${tasks.length} tasks`);
  }

  #taskOf(name: string, fn: FnRecord, spec: Task['spec'], args: Parcel): Task {
    const [client, call] = this.#parse(name);
    const { flat } = args;
    const given = flat ? { source: flat, from: 0, size: flat.length } : { source: args, from: 0, size: 0 };
    const owner = this.#ownerOf(client);
    const task = new Task(owner, call, fn, spec, given, performance.now());
    const more = task.extra;
    more.name = name;
    // It may have run once under each controller that there was.
    more.lost = task.runs = this.#journal.run - Number.parseInt(name, 10);
    fn.uses++;
    owner.tasks.set(call, task);
    this.#tasks.set(name, task);
    return task;
  }

  /** What it waits for, or has waited for, by names. What is returned has failed. */
  async #link(task: Task, links: readonly Link[]): Promise<Root | undefined> {
    const more = task.more!;
    more.links = [...links];
    const dependencies: Dependency[] = [];
    const clients = new Map<string, number>();
    for (const { client, call, as, name } of links) {
      const before = name === undefined ? undefined : (this.#tasks.get(name) ?? (await this.#past(name, task)));
      if (!before) {
        const why = `Result ${client}.${call} was with a client that left when its controller ended`;
        const error = this.#host.parcel(new ValueLostError(why));
        return { id: `${client}.${call}`, ending: Ending.LOST, engine: -1, error };
      }
      if (!(before instanceof Task)) return before;
      clients.set(`${client}.${call}`, before.owner.id);
      dependencies.push({ client: before.owner.id, call, as });
      more.predecessors.push(before);
      if (before.state === State.OVER) continue;
      before.extra.dependents.push(task);
      more.waits++;
    }
    more.dependencies = dependencies;
    if (!(task.source instanceof Uint8Array))
      task.source = task.source.renamed(({ client, call }) => clients.get(`${client}.${call}`) ?? client);
    return undefined;
  }

  /** One that is done: it stands for its value. */
  async #past(name: string, after: Task): Promise<Task | Root | undefined> {
    const outcome = await this.#journal.outcome(name);
    if (!outcome) return undefined;
    const [client, call] = this.#parse(name);
    const { ending, engine, value } = outcome;
    if (ending !== Ending.OK) return { id: name.slice(name.indexOf('/') + 1), ending, engine, error: value };
    const nothing = { source: new Uint8Array(), from: 0, size: 0 };
    const task = new Task(this.#ownerOf(client), call, after.fn, after.spec, nothing, performance.now());
    task.state = State.OVER;
    task.extra.value = value;
    task.extra.name = name;
    this.#tasks.set(name, task);
    return task;
  }

  /** Run and client, and the call. */
  #parse(name: string): [client: string, call: number] {
    const [client = '', call = '0'] = name.split(/\.(?=\d+$)/);
    return [client, Number(call)];
  }

  #ownerOf(client: string): Owner {
    let owner = this.#strangers.get(client);
    if (!owner) {
      owner = new Owner(STRANGERS + this.#strangers.size, this.#host.client(0), this.#host.parcel);
      owner.gone = true;
      this.#strangers.set(client, owner);
      this.#scheduler.owners.set(owner.id, owner);
    }
    return owner;
  }
}
