/** The engines that this host has started: launching, waiting for them to join, replacing, stopping. */
import { availableParallelism, hostname } from 'node:os';
import { LaunchError, UsageError } from '../errors.ts';
import type { EngineExit, EngineHandle, EngineSpec, Launcher } from '../launch/launcher.ts';
import { limitReached } from '../launch/limits.ts';
import { Pace } from '../launch/pace.ts';
import { Kind, textPayload } from '../wire/envelope.ts';
import { keyToken, mintKey } from '../wire/handshake.ts';
import type { Controller } from './controller.ts';
import { exceeded } from './limits.ts';
import type { EngineRecord } from './registry.ts';

export interface FleetOptions {
  cwd: string;
  env: Record<string, string>;
  beat: number;
  supervised: boolean;
  /** Where engines of this launcher reach the controller. */
  urls(launcher: Launcher): Promise<string[]>;
  litter(): string[];
}

interface Member {
  record: EngineRecord;
  launcher: Launcher;
  handle: EngineHandle;
  /** Replaced when it ends on purpose, so that its end is no news. */
  expected: boolean;
}

/** How long an engine may take to end by itself before it is killed. */
const GRACE = 1_000;

export class Fleet {
  #members = new Map<number, Member>();
  #changing = new Map<number, Promise<void>>();
  #paces = new WeakMap<Launcher, Pace>();
  #pace = new Pace(2 * availableParallelism());
  #closed = false;
  #controller: Controller;
  #options: FleetOptions;

  constructor(controller: Controller, options: FleetOptions) {
    this.#controller = controller;
    this.#options = options;
  }

  /** Starts engines; resolves with their ids when all have joined, rejects with what the first that failed printed. */
  async add(count: number, launcher: Launcher): Promise<number[]> {
    if (!Number.isInteger(count) || count < 0)
      throw new UsageError(`The number of engines must be 0, 1, 2, …; got ${String(count)}`);
    const urls = await this.#options.urls(launcher);
    // Nothing is awaited from here to where the places are taken: others add engines meanwhile.
    const { limits, registry } = this.#controller;
    const total = registry.engines.size + count;
    if (total > limits.engines) throw exceeded('engines', limits.engines, `The cluster would have ${total} engines`);
    const records = Array.from({ length: count }, () => this.#controller.registry.expect(mintKey('e')));
    const { log } = this.#controller;
    const begun = performance.now();
    let failed = false;
    const start = async (record: EngineRecord): Promise<void> => {
      if (failed) return; // all or none
      await this.#start(record, launcher, urls).catch((error) => {
        failed = true;
        throw error;
      });
    };
    try {
      await Promise.all(records.map((record) => this.#paceOf(launcher).run(() => start(record))));
    } catch (error) {
      log.warn('An engine could not be started, so none of these is', { count, kind: launcher.kind, error });
      const { engines } = this.#controller.registry;
      await this.remove(records.map((r) => r.id).filter((id) => engines.has(id)));
      throw error;
    }
    const ms = Math.round(performance.now() - begun);
    if (count) log.info('Engines are ready', { count, kind: launcher.kind, ms });
    return records.map((r) => r.id);
  }

  /** Ends engines and retires their ids. */
  async remove(ids: readonly number[]): Promise<void> {
    await this.#each(ids, async (record) => {
      await this.#end(record);
      this.#controller.registry.remove(record, 'removed');
      this.#members.delete(record.id);
    });
  }

  /** Ends engines and starts them again under their ids, with a higher incarnation and an empty namespace. */
  async restart(ids: readonly number[]): Promise<void> {
    for (const id of ids) this.#launcherOf(id); // all or none
    await this.#each(ids, async (record) => {
      const launcher = this.#launcherOf(record.id);
      const urls = await this.#options.urls(launcher);
      await this.#end(record);
      this.#controller.registry.lost(record, 'restarted');
      await this.#paceOf(launcher).run(() => this.#start(record, launcher, urls));
    });
  }

  #paceOf(launcher: Launcher): Pace {
    if (launcher.atOnce === undefined) return this.#pace;
    let pace = this.#paces.get(launcher);
    if (!pace) this.#paces.set(launcher, (pace = new Pace(launcher.atOnce)));
    return pace;
  }

  #launcherOf(id: number): Launcher {
    this.#controller.registry.get(id);
    const member = this.#members.get(id);
    if (member) return member.launcher;
    throw new UsageError(`Engine ${id} joined by itself (or was started elsewhere); restart it where it was started`);
  }

  /** One change of an engine after the other, so that no two processes ever are the same engine. */
  async #each(ids: readonly number[], change: (record: EngineRecord) => Promise<void>): Promise<void> {
    const { registry } = this.#controller;
    for (const id of ids) registry.get(id);
    const changes = ids.map((id) => {
      const before = this.#changing.get(id) ?? Promise.resolve();
      const after = before.catch(() => {}).then(() => change(registry.get(id)));
      this.#changing.set(id, after);
      return after.finally(() => this.#changing.get(id) === after && this.#changing.delete(id));
    });
    await Promise.all(changes);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#changing.values());
    await Promise.all([...this.#controller.registry.engines.values()].map((record) => this.#end(record)));
  }

  /** Resolves when the engine has joined. */
  async #start(record: EngineRecord, launcher: Launcher, urls: string[]): Promise<void> {
    const { registry } = this.#controller;
    // It may have waited for its turn.
    if (this.#closed) throw new LaunchError(`Engine ${record.id} was not started: the cluster is stopping`);
    if (registry.engines.get(record.id) !== record)
      throw new LaunchError(`Engine ${record.id} was not started: it was removed before`);
    const { cwd, env, beat, supervised, litter } = this.#options;
    const spec: EngineSpec = {
      id: record.id,
      urls,
      token: keyToken(record.key),
      cwd,
      env,
      beat,
      supervised,
      litter: litter(),
    };
    const handle = this.#launch(launcher, spec);
    const member: Member = { record, launcher, handle, expected: false };
    this.#members.set(record.id, member);
    handle.onOutput((stream, text) => {
      this.#controller.output(record, { client: 0, id: 0, stream: stream === 'stdout' ? 1 : 2 }, textPayload(text));
    });
    const incarnation = record.info.incarnation;
    await new Promise<void>((resolve, reject) => {
      const joined = registry.whenJoined(record, incarnation + 1, resolve);
      void handle.exited.then((exit) => {
        joined.cancel();
        if (!member.expected) registry.lost(record, inWords(exit), exit);
        const printed = record.lastOutput ? `. It printed:\n${record.lastOutput}` : '';
        reject(notStarted(`${inWords(exit)}${printed}`, exit.error));
      });
    });
    // Nobody should find it gone while it is still coming, or miss what it is to tell.
    if (record.supervised) await record.control.rpc();
  }

  #launch(launcher: Launcher, spec: EngineSpec): EngineHandle {
    try {
      return launcher.launch(spec);
    } catch (error) {
      const limit = limitReached(error);
      throw limit ? notStarted(limit, error) : error;
    }
  }

  async #end(record: EngineRecord): Promise<void> {
    record.leaving = true;
    record.session?.send({ kind: Kind.EVENT, op: 'exit' });
    const member = this.#members.get(record.id);
    // Of one that joined by itself the connection is all we have: cut at once, it might take that order with it.
    if (!member) return record.session?.close('the engine is to end');
    member.expected = true;
    const timer = setTimeout(() => member.handle.kill(), record.session ? GRACE : 0);
    await member.handle.exited;
    clearTimeout(timer);
  }
}

function notStarted(reason: string, cause: unknown): LaunchError {
  return new LaunchError(`An engine could not be started on ${hostname()}: ${reason}`, { cause });
}

function inWords({ exitCode, signal, error }: EngineExit): string {
  if (error) return limitReached(error) ?? `${error.name}: ${error.message}`;
  if (signal) return `its process was ended by ${signal}`;
  return `it exited with code ${exitCode}`;
}
