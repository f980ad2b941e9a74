/** The farm's half on the controller: takes tasks in, and puts together what decides on them. */
import {
  type Caller,
  type CallId,
  CancelledError,
  type ControllerHalf,
  type ControllerHost,
  Parcel,
  type TaskSource,
  TimeoutError,
  UsageError,
} from '../../../core/index.ts';
import { UnsatisfiableError } from '../errors.ts';
import { ReportLetter, SubmissionLetter } from '../letters.ts';
import { type Dependency, Ending, type FarmStats, type Submission, type Ticket } from '../messages.ts';
import { PieceReader } from '../pieces.ts';
import { Alarms } from './alarms.ts';
import { Crew } from './crew.ts';
import { explain } from './explanation.ts';
import { FnRecord } from './fns.ts';
import { type Collected, Journal } from './journal.ts';
import { Memo } from './memo.ts';
import { Outcomes, type Run } from './outcomes.ts';
import { Owner } from './owner.ts';
import { placed } from './placed.ts';
import { Places } from './places.ts';
import { Resumption } from './resumption.ts';
import { Scheduler } from './scheduler.ts';
import type { Slot } from './slot.ts';
import { Stops } from './stops.ts';
import { Tally } from './tally.ts';
import { State, Task } from './task.ts';

export async function controllerHalf(host: ControllerHost): Promise<ControllerHalf> {
  const alarms = new Alarms(host.clock);
  const tally = new Tally();
  const places = new Places();
  const scheduler = new Scheduler(places, { leaves, later: (ms, look) => alarms.in(ms, look) });
  const outcomes = new Outcomes(host, scheduler, alarms, tally);
  const crew = new Crew(host, scheduler, outcomes);
  const stops = new Stops(host, { scheduler, outcomes, alarms, crew });
  const { owners } = scheduler;
  const journal = new Journal(host);
  const memo = new Memo();
  /** Who waits for the outcome of a detached task, by its name. */
  const collecting = new Map<string, (() => void)[]>();
  let due = false;
  const onTold = host.durable ? told : undefined;
  outcomes.onOver = (task, run) => {
    const good = run.ending === Ending.OK;
    for (const other of memo.made(task, run, good)) outcomes.settle(other, run);
    if (isRecorded(task)) keep(task, run);
    task.more?.parent?.more?.children?.delete(task);
  };
  outcomes.onStopped = (task) => stops.cancelChildren(task);
  outcomes.onLate = soon;

  /** Tasks of tasks are submitted anew when those run again. */
  function isRecorded({ spec, more }: Task): boolean {
    return spec.detached || (host.durable && !more?.parent);
  }

  /** Somebody may ask for its outcome later; until its client has it, or anybody if that has left. */
  function keep(task: Task, run: Run): void {
    const { owner } = task;
    journal.finished(task, run, task.spec.detached || owner.gone);
    const name = journal.nameOf(task);
    for (const tell of collecting.get(name) ?? []) tell();
    collecting.delete(name);
    if (owner.gone && !owner.tasks.size) owners.delete(owner.id);
  }

  function told(task: Task): void {
    if (!task.spec.detached && isRecorded(task)) journal.drop(journal.nameOf(task));
  }

  function leaves(task: Task, slot: Slot): void {
    const now = performance.now();
    tally.wait.add(now - task.at);
    task.at = now;
    slot.send(task, task.runs, task.more ? placed(task) : undefined);
    const { hedge } = task.spec;
    if (hedge && !task.more?.twin) stops.watch(task);
    outcomes.event(task, 'started', slot);
  }

  function ownerOf({ id }: Pick<Caller, 'id'>): Owner {
    let owner = owners.get(id);
    if (!owner) owners.set(id, (owner = new Owner(id, host.client(id), host.parcel)));
    return owner;
  }

  function turn(): void {
    scheduler.dispatch();
    for (const owner of owners.values()) owner.flush();
  }

  /** One turn for all that happens now. */
  function soon(): void {
    if (due) return;
    due = true;
    queueMicrotask(() => {
      due = false;
      turn();
    });
  }

  function rest<T>(parts: readonly Uint8Array[]): T {
    return host.read(new Parcel({ codec: 'msgpack', parts: [...parts] })) as T;
  }

  /** Undefined: it speaks of what an earlier controller, or session, has told it. */
  function slotOf(engine: number, about: { slot: number }): Slot | undefined {
    const slot = places.slots.get(engine);
    return slot?.number === about.slot ? slot : undefined;
  }

  function submit(submission: Submission, caller: Caller): void {
    const owner = ownerOf(caller);
    const { calls, fns, specs, args, newFns, newSpecs, dependencies, runs, parents } = submission;
    owner.seen(submission.seen, onTold);
    for (const { id, name, parcel } of newFns) owner.fns.set(id, new FnRecord(name, parcel));
    // What is on an engine goes down with the controller.
    for (const [id, spec] of newSpecs) owner.specs.set(id, host.durable ? { ...spec, travels: true } : spec);
    const ran = new Map(runs);
    const reader = new PieceReader(args, Parcel);
    const now = performance.now();
    for (let i = 0; i < calls.length; i++) {
      reader.next();
      const fn = owner.fns.get(fns[i]!);
      const spec = owner.specs.get(specs[i]!);
      if (!fn || !spec) throw new UsageError(`Task ${calls[i]} of client ${owner.id} names what was never sent`);
      const { source, from, size, parcel } = reader;
      const task = new Task(owner, calls[i]!, fn, spec, { source: parcel ?? source, from, size }, now);
      fn.uses++;
      tally.submitted++;
      owner.tasks.set(task.call, task);
      outcomes.event(task, 'queued');
      const before = ran.get(i);
      if (before) task.runs = before;
      const above = parents.get(i);
      if (above) adopt(task, above);
      if (above && !spec.detached && stops.wasStopped(above))
        outcomes.fail(task, new CancelledError('The task that has submitted it was stopped'), Ending.STOPPED);
      else accept(task, dependencies.get(i));
    }
  }

  function adopt(task: Task, { client, call }: CallId): void {
    const parent = owners.get(client)?.tasks.get(call);
    if (!parent) return;
    task.extra.parent = parent;
    (parent.extra.children ??= new Set()).add(task);
  }

  function accept(task: Task, dependencies: readonly Dependency[] | undefined): void {
    const { spec } = task;
    if (dependencies) task.extra.dependencies = dependencies;
    const failed = dependencies && outcomes.link(task);
    const refusal = (isRecorded(task) && record(task)) || (spec.targets || spec.needs ? refusalOf(task) : undefined);
    if (refusal) {
      outcomes.fail(task, refusal);
      return;
    }
    if (failed) {
      outcomes.failWith(task, failed);
      return;
    }
    if (spec.deadline !== undefined) stops.deadline(task);
    if (dependencies) {
      if (!task.more!.waits) outcomes.feed(task);
      else {
        task.state = State.WAITING;
        scheduler.ahead(task);
      }
      return;
    }
    const known = spec.memo ? memo.look(task) : undefined;
    if (known === 'waits') task.state = State.WAITING;
    else if (known) outcomes.settle(task, { ...known });
    else scheduler.enqueue(task);
  }

  function refusalOf({ id, spec }: Task): Error | undefined {
    const why = places.impossible(spec);
    return why === undefined ? undefined : new UnsatisfiableError(`No engine can take task ${id}: ${why}`);
  }

  /** Why it cannot be, if so. */
  function record(task: Task): Error | undefined {
    try {
      // Without its client nobody has the code.
      task.fn.parcel = host.whole(task.fn.parcel);
      if (!(task.source instanceof Uint8Array)) task.source = host.whole(task.source);
      journal.accepted(task);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  /** By id or label, of any client and any run. */
  async function collect(id: string): Promise<Collected> {
    for (;;) {
      const done = journal.find(id);
      const found = done && (await journal.take(done));
      if (found) return found;
      const task = running(id);
      if (!task) throw new UsageError(`There is no detached task '${id}', or it has been collected`);
      const name = journal.nameOf(task);
      await new Promise<void>((resolve) => collecting.set(name, [...(collecting.get(name) ?? []), resolve]));
    }
  }

  function running(id: string): Task | undefined {
    for (const owner of owners.values())
      for (const task of owner.tasks.values())
        if (isListed(task) && (task.id === id || task.spec.label === id || journal.nameOf(task).endsWith(`/${id}`)))
          return task;
    return undefined;
  }

  /** Can it be collected? */
  function isListed({ spec, owner }: Task): boolean {
    return spec.detached || owner.gone;
  }

  function stats(): FarmStats {
    const engines = [...places.slots.values()].filter((slot) => slot.alive);
    let waiting = 0;
    let queued = 0;
    for (const owner of owners.values())
      for (const { state } of owner.tasks.values()) {
        if (state === State.WAITING || state === State.DELAYED) waiting++;
        else if (state === State.READY) queued++;
      }
    return {
      waiting,
      queued,
      running: engines.reduce((sum, { out }) => sum + out.size, 0),
      done: tally.done,
      failed: tally.failed,
      cancelled: tally.cancelled,
      retried: tally.retried,
      requeued: tally.requeued,
      wait: tally.wait.quantiles(),
      run: tally.run.quantiles(),
      engines: engines.map(({ id, out, done, busy, since }) => ({
        id,
        running: out.size,
        done,
        busy: Math.min(1, busy / (performance.now() - since)),
      })),
    };
  }

  host.onEvent((event) => {
    if (event.type !== 'client-left') return;
    const owner = owners.get(event.client);
    if (!owner) return;
    owner.gone = true;
    for (const task of [...owner.tasks.values()])
      if (!task.spec.detached) {
        stops.drop(task);
        owner.tasks.delete(task.call);
        if (isRecorded(task)) journal.abandoned(task);
      }
    for (const task of owner.past.values()) told(task);
    owner.past.clear();
    for (const fn of owner.fns.values()) for (const slot of places.slots.values()) slot.forget(fn);
    if (!owner.tasks.size) owners.delete(event.client);
    turn();
  });
  host.report(stats);
  host.demand(() => scheduler.demand());
  function where({ client, call }: CallId): number | undefined {
    const task = owners.get(client)?.tasks.get(call);
    return task?.state === State.OUT ? task.slot?.id : undefined;
  }
  host.tasks({ where, list });

  await new Resumption(host, { scheduler, outcomes, stops, journal }).resume();
  turn();

  return {
    submit(parts: readonly Uint8Array[], caller) {
      submit(SubmissionLetter.read(parts, rest), caller);
      turn();
    },
    done(parts: readonly Uint8Array[], { id }) {
      const report = ReportLetter.read(parts, rest);
      const slot = slotOf(id, report);
      if (!slot) return;
      outcomes.report(slot, report);
      turn();
    },
    declares(resources: Record<string, number>, { id }) {
      crew.declares(id, resources);
      turn();
    },
    yields(about: Ticket, { id }) {
      const slot = slotOf(id, about);
      const task = slot?.out.get(about.ticket);
      if (slot && task) scheduler.stepAside(task, slot);
      turn();
    },
    /** The engine is about to run a task with a timeout. */
    begun(about: Ticket, { id }) {
      const slot = slotOf(id, about);
      if (slot) stops.begun(slot, about.ticket);
    },
    seen: (batch: number, caller) => ownerOf(caller).seen(batch, onTold),
    placed({ client, call, failed }: { client: number; call: number; failed?: Parcel }) {
      outcomes.placed(client, call, failed);
      turn();
    },
    async stop({ call, kind, reason }: { call: number; kind: 'interrupt' | 'cancel'; reason: string }, caller) {
      const task = ownerOf(caller).tasks.get(call);
      if (!task || task.state === State.KEPT) return 'done';
      const answer = kind === 'cancel' ? stops.cancel(task, reason) : stops.interrupt(task, reason);
      turn();
      return answer;
    },
    where: (call: number, { id }) => where({ client: id, call }),
    forgetSpecs(last: number, caller) {
      const { specs } = ownerOf(caller);
      for (const id of specs.keys()) if (id <= last) specs.delete(id);
    },
    release(calls: readonly number[], caller) {
      const owner = ownerOf(caller);
      for (const call of calls) {
        const task = owner.tasks.get(call);
        if (!task || (task.state !== State.KEPT && task.state !== State.GONE)) continue;
        owner.tasks.delete(call);
        const place = task.more?.place;
        place?.slot.kept.delete(task);
        place?.slot.tell('release', { client: owner.id, call });
        task.state = State.OVER;
      }
    },
    again: ({ call }: { call: number }, caller) =>
      new Promise((resolve, reject) => {
        const task = ownerOf(caller).tasks.get(call);
        if (!task) return reject(new UsageError(`The value of task ${caller.id}.${call} was released`));
        const answer = (): void => {
          const place = task.more?.place;
          resolve(place && { engine: place.slot.id, incarnation: place.incarnation });
        };
        if (task.state === State.KEPT) return answer();
        outcomes.again(task, (good) =>
          good ? answer() : reject(new TimeoutError(`Task ${task.id} failed when it ran again for its lost value`)),
        );
        turn();
      }),
    prioritize({ call, priority }: { call: number; priority: number }, caller): boolean {
      const task = ownerOf(caller).tasks.get(call);
      if (!task || task.state === State.OUT || task.state === State.KEPT) return false;
      task.priority = priority;
      if (task.state === State.READY) scheduler.enqueue(task);
      turn();
      return true;
    },
    forget(ids: readonly number[], caller) {
      const owner = ownerOf(caller);
      for (const id of ids) {
        const fn = owner.fns.get(id);
        owner.fns.delete(id);
        if (fn) for (const slot of places.slots.values()) slot.forget(fn);
      }
    },
    watch: (on: boolean, caller) => void (ownerOf(caller).watching = on),
    /** Its client has the outcomes of detached tasks: nobody else needs them. */
    collected(calls: readonly number[], { id }) {
      for (const call of calls) journal.drop(journal.named(`${id}.${call}`));
    },
    /** Resolves when what this client has submitted so far is in the journal. */
    accepted: () => journal.flushed(),
    collect: (id: string) => collect(id),
    detached: () => [
      ...[...journal.done].map(([name, label]) => ({
        id: name.slice(name.indexOf('/') + 1),
        label,
        state: 'done' as const,
      })),
      ...[...owners.values()].flatMap((owner) =>
        [...owner.tasks.values()].filter(isListed).map((task) => ({
          id: task.more?.name?.replace(/^\d+\//, '') ?? task.id,
          label: task.spec.label,
          state: task.state === State.OUT ? ('running' as const) : ('queued' as const),
        })),
      ),
    ],
    stats,
    explain: (id: string, caller) => explain(owners, places, id, caller.id),
    async [Symbol.asyncDispose]() {
      alarms.stop();
      await journal.flushed();
    },
  };

  /** Those that are on engines: what waits here may be a million. */
  function list(): ReturnType<TaskSource['list']> {
    const now = performance.now();
    return [...places.slots.values()].flatMap((slot) =>
      [...slot.out.values()].map((task, i) => ({
        id: task.id,
        client: task.owner.id,
        call: task.call,
        op: task.fn.name,
        ...(task.spec.label !== undefined && { label: task.spec.label }),
        engine: slot.id,
        state: i ? ('waiting' as const) : ('running' as const),
        ms: Math.round(now - task.at),
      })),
    );
  }
}
