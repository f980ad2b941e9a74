/** Calls, kills, freezes, cuts, restarts, as chance has it; the same seed, the same order of them. */
import { writeFileSync } from 'node:fs';
import type { AsyncResult } from '../../core/client/async-result.ts';
import type { Client } from '../../core/client/client.ts';
import { type Random, random } from '../fuzz/random.ts';
import { type Made, Model, type Trouble } from './model.ts';
import { BEAT, type Stage, setStage } from './stage.ts';
import { type Done, work } from './work.ts';

const CLIENTS = 3;
const MOST_ENGINES = 5;
/** Calls that may be pending; beyond that the driver waits. */
const MOST_PENDING = 150;
/** ms that everything may take to settle once nothing is done any more. */
const PATIENCE = 60_000;

export interface Report {
  wrong: string[];
  tally: Record<string, number>;
  acts: Record<string, number>;
  calls: number;
  runs: number;
}

interface Seat {
  client: Client;
  trouble: Trouble;
  /** The last call, and what it was. */
  last: { made: Made; result: AsyncResult<Done> } | undefined;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function chaos({ seconds, seed }: { seconds: number; seed: number }): Promise<Report> {
  const stage = await setStage();
  const driver = new Driver(stage, random(seed));
  try {
    await driver.open();
    const until = performance.now() + seconds * 1_000;
    while (performance.now() < until && !driver.model.wrong.length) await driver.step();
    await driver.settle();
  } finally {
    driver.model.wrong.push(...(await stage.close()).map((left) => `${left} is left`));
  }
  const { model, acts, runs } = driver;
  return { wrong: model.wrong, tally: model.tally, acts, calls: model.calls.length, runs };
}

class Driver {
  readonly model = new Model();
  readonly acts: Record<string, number> = {};
  runs = 0;
  #stage: Stage;
  #r: Random;
  #seats: Seat[] = [];
  #pending = new Set<Promise<void>>();
  /** What was begun and is not over: thaws, restarts. One for each engine. */
  #busy = new Map<number, Promise<void>>();

  constructor(stage: Stage, r: Random) {
    this.#stage = stage;
    this.#r = r;
    writeFileSync(stage.file, '');
  }

  async open(): Promise<void> {
    for (let i = 0; i < CLIENTS; i++)
      this.#seats.push({ client: await this.#stage.client(i), trouble: { count: 0, healed: true }, last: undefined });
  }

  async step(): Promise<void> {
    const r = this.#r;
    const act = r.next();
    const engine = r.pick(this.#engines());
    if (act < 0.9) for (let n = r.int(1, 6); n > 0; n--) this.#call(r.int(0, CLIENTS - 1));
    else if (act < 0.92) this.#freeze(engine, r.int(10, 400));
    else if (act < 0.94) this.#count('cut a client', () => this.#stage.clientProxy.cut());
    else if (act < 0.955) this.#cutEngines();
    else if (act < 0.965) this.#kill(engine);
    else if (act < 0.975) this.#change(engine, 'restart', () => this.#restart(engine));
    else if (act < 0.985) await this.#reconnect(r.int(0, CLIENTS - 1));
    else if (act < 0.992) this.#add(r.int(0, this.#stage.launchers.length - 1));
    else if (this.#engines().length > 2) this.#change(engine, 'remove', () => this.#stage.host.fleet.remove([engine]));
    await pause(r.int(0, 4));
    while (this.#pending.size > MOST_PENDING) await Promise.race([...this.#pending, ...this.#busy.values()]);
  }

  /** Heals everything, waits for every call, and looks for what is left. */
  async settle(): Promise<void> {
    await this.#inTime(Promise.all(this.#busy.values()));
    for (const engine of this.#busy.keys()) this.model.wrong.push(`What was done to engine ${engine} is not over`);
    const { registry, clients } = this.#stage.host.controller;
    await this.#inTime(Promise.all(this.#pending));
    this.runs = this.model.checkRuns(this.#stage.file);
    for (const { client } of this.#seats) await client.close();
    await this.#inTime(this.#until(() => clients.size === 0));
    for (const { id, running } of registry.engines.values())
      if (running.size) this.model.wrong.push(`${running.size} calls are left on engine ${id}`);
    if (this.#stage.host.controller.broker.codeKept) this.model.wrong.push('Code is left at the controller');
    if (clients.size) this.model.wrong.push(`${clients.size} clients are left`);
  }

  #engines(): number[] {
    return this.#stage.host.controller.registry.infos().map((engine) => engine.id);
  }

  #call(which: number): void {
    const r = this.#r;
    const seat = this.#seats[which]!;
    const { client, trouble, last } = seat;
    const all = r.chance(0.1);
    const known = client.engines.filter((e) => e.state !== 'lost').map((e) => e.id);
    const engines = all ? known : [r.pick(known)];
    const [ms, bytes] = [r.chance(0.2) ? r.int(1, 20) : 0, r.chance(0.2) ? r.int(50_000, 300_000) : 0];
    const given = last && r.chance(0.3) ? last : undefined;
    const ends = r.chance(0.05) ? r.pick(['CANCELLED', 'TIMEOUT'] as const) : undefined;
    const after = r.int(0, 10);
    if (!engines.length || engines[0] === undefined) return;
    const made = this.model.make({ client: which, engines, bytes, given: given?.made, ends, clientTrouble: trouble });
    const args = [this.#stage.file, made.token, ms, bytes, given?.result] as never[];
    const options = ends === 'TIMEOUT' ? { timeout: 1 + after } : {};
    const view = all ? client.view(engines) : client.engine(engines[0]!);
    const result = view.with(options).apply(work as never, ...args) as AsyncResult<Done | Done[]>;
    if (ends === 'CANCELLED') setTimeout(() => void result.cancel().catch(() => {}), after);
    if (!all) seat.last = { made, result: result as AsyncResult<Done> };
    const settled = Promise.resolve(result)
      .then(
        (value) => this.model.resolved(made, [value].flat()),
        (error) => this.model.rejected(made, error),
      )
      .finally(() => this.#pending.delete(settled));
    this.#pending.add(settled);
  }

  #freeze(engine: number, ms: number): void {
    const handle = this.#stage.handles.get(engine);
    if (!handle || handle.pid === process.pid || this.#busy.has(engine)) return;
    this.#count('freeze', () => process.kill(handle.pid, 'SIGSTOP'));
    this.#during(
      engine,
      pause(ms).then(() => void process.kill(handle.pid, 'SIGCONT')),
    );
  }

  #cutEngines(): void {
    // Whoever is behind the proxy may come back in time, or be lost and join anew.
    const { engines } = this.#stage.host.controller.registry;
    const behind = [...engines.values()].filter((record) => record.info.transport === 'tcp');
    const counts = new Map(behind.map(({ id }) => [id, this.model.trouble(id)]));
    this.#count('cut engines', () => this.#stage.engineProxy.cut());
    for (const record of behind) {
      const { id, info } = record;
      const back = (): boolean => !engines.has(id) || (info.state === 'alive' && record.session?.connected === true);
      const before = this.#busy.get(id) ?? Promise.resolve();
      const over = before.then(() => pause(5 * BEAT)).then(() => this.#until(back));
      this.#during(
        id,
        over.then(() => this.model.heal(id, counts.get(id)!)),
      );
    }
  }

  #kill(engine: number): void {
    this.#change(engine, 'kill', async () => {
      const handle = this.#stage.handles.get(engine)!;
      handle.kill();
      await handle.exited;
      await this.#restart(engine);
    });
  }

  async #restart(engine: number): Promise<void> {
    await this.#stage.host.fleet.restart([engine]);
  }

  /** Does something to an engine that its calls may feel, unless something else is being done to it. */
  #change(engine: number, what: string, change: () => Promise<void>): void {
    if (this.#busy.has(engine)) return;
    const count = this.model.trouble(engine);
    this.#count(what, () => {});
    const record = this.#stage.host.controller.registry.get(engine);
    const life = this.model.lives.get(engine);
    const done = change().then(
      async () => {
        if (life) this.model.ended(life);
        if (what === 'remove') return;
        await this.#until(() => record.info.state === 'alive');
        this.model.heal(engine, count);
      },
      (error) => void this.model.wrong.push(`${what} of engine ${engine}: ${error.stack}`),
    );
    this.#during(engine, done);
  }

  #add(launcher: number): void {
    if (this.#stage.host.controller.registry.engines.size >= MOST_ENGINES) return;
    this.#count('add', () => {});
    const added = this.#stage.host.fleet.add(1, this.#stage.launchers[launcher]!).then(
      () => {},
      (error) => void this.model.wrong.push(`add: ${error.stack}`),
    );
    this.#during(-1 - this.#stage.host.controller.registry.given, added);
  }

  async #reconnect(which: number): Promise<void> {
    const seat = this.#seats[which]!;
    seat.trouble.count++;
    this.#count('reconnect', () => {});
    await seat.client.close();
    this.#seats[which] = {
      client: await this.#stage.client(which),
      trouble: { count: 0, healed: true },
      last: undefined,
    };
  }

  #during(engine: number, what: Promise<unknown>): void {
    const over = what.then(() => {
      if (this.#busy.get(engine) === over) this.#busy.delete(engine);
    });
    this.#busy.set(engine, over);
  }

  #count(what: string, act: () => void): void {
    this.acts[what] = (this.acts[what] ?? 0) + 1;
    act();
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await pause(5);
  }

  async #inTime(what: Promise<unknown>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PATIENCE);
    });
    await Promise.race([what, late]);
    clearTimeout(timer);
  }
}
