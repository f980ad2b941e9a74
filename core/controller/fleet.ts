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
  /** Where engines of this launcher reach the controller, and what that takes. */
  door(launcher: Launcher): Promise<Door>;
  /** Its key is not to open anything from now on. */
  revoke(record: EngineRecord): void;
  litter(): string[];
}

export type Door = Pick<EngineSpec, 'urls' | 'ca' | 'cert' | 'key'>;

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
  #launchers = new Set<Launcher>();
  #paces = new WeakMap<Launcher, Pace>();
  #pace = new Pace(2 * availableParallelism());
  #closed = false;
  /** Somebody has asked for engines. */
  begun = false;
  #controller: Controller;
  #options: FleetOptions;

  constructor(controller: Controller, options: FleetOptions) {
    this.#controller = controller;
    this.#options = options;
  }

  /**
   * Starts engines; resolves with the ids of those that have joined, which are all, or as many as could be started if that are at
   * least `min`. Else none of them is left, and it rejects with why.
   */
  async add(count: number, launcher: Launcher, min = count): Promise<number[]> {
    if (!Number.isInteger(count) || count < 0)
      throw new UsageError(`The number of engines must be 0, 1, 2, …; got ${String(count)}`);
    this.begun = true;
    const door = await this.#options.door(launcher);
    // Nothing is awaited from here to where the places are taken: others add engines meanwhile.
    const { limits, registry } = this.#controller;
    const total = registry.engines.size + count;
    if (total > limits.engines) throw exceeded('engines', limits.engines, `The cluster would have ${total} engines`);
    const records = Array.from({ length: count }, () => this.#controller.registry.expect(mintKey('e')));
    const { log } = this.#controller;
    const begun = performance.now();
    const failures = new Map<EngineRecord, Error>();
    const tooMany = (): boolean => failures.size > count - min;
    const start = async (record: EngineRecord): Promise<void> => {
      if (tooMany()) return;
      await this.#start(record, launcher, door).catch((error) => void failures.set(record, error));
    };
    const starts = records.map((record) => this.#paceOf(launcher).run(() => start(record)));
    // What goes on starting when it is known that all was in vain is removed at once.
    await Promise.race([Promise.all(starts), this.#until(starts, tooMany)]);
    const fields = { count, kind: launcher.kind, failed: failures.size };
    if (tooMany()) {
      const error = severalFailed([...failures.values()], count, min); // as of now: the others fail when they are ended
      log.warn('An engine could not be started, so none of these is', { ...fields, error });
      await this.#drop(records);
      throw error;
    }
    await this.#drop([...failures.keys()]);
    for (const error of new Map([...failures.values()].map((one) => [one.message, one])).values())
      log.warn(`The cluster starts without some engines: ${error.message}`, fields);
    const ms = Math.round(performance.now() - begun);
    if (count) log.info('Engines are ready', { ...fields, ms });
    return records.filter((record) => !failures.has(record)).map((r) => r.id);
  }

  /** Resolves when one of them has ended and the condition holds; not at all, perhaps. */
  #until(works: readonly Promise<void>[], condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      for (const work of works) void work.then(() => condition() && resolve());
    });
  }

  async #drop(records: readonly EngineRecord[]): Promise<void> {
    const { engines } = this.#controller.registry;
    await this.remove(records.map((r) => r.id).filter((id) => engines.has(id)));
  }

  /** @param drain ms that they may take for what they have */
  async remove(ids: readonly number[], drain = 0): Promise<void> {
    const { registry, draining } = this.#controller;
    const records = ids.map((id) => registry.get(id));
    if (drain > 0) await draining.run(records, drain);
    // They may have gone in the meantime.
    await this.#retire(ids.filter((id, i) => registry.engines.get(id) === records[i]));
  }

  /** Ends engines for good, and sees to it that they do not come back. */
  async revoke(ids: readonly number[]): Promise<void> {
    for (const id of ids) this.#controller.registry.get(id);
    await this.#each(ids, async (record) => {
      this.#options.revoke(record);
      const member = this.#members.get(record.id);
      if (member) member.expected = true;
      member?.handle.kill();
      await member?.handle.exited;
      this.#controller.registry.remove(record, 'revoked');
      this.#members.delete(record.id);
    });
  }

  /** Ends engines and retires their ids. */
  async #retire(ids: readonly number[]): Promise<void> {
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
      const door = await this.#options.door(launcher);
      await this.#end(record);
      this.#controller.registry.lost(record, 'restarted');
      await this.#paceOf(launcher).run(() => this.#start(record, launcher, door));
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
    await Promise.all([...this.#launchers].map((launcher) => launcher.close?.()));
  }

  /** Resolves when the engine has joined. */
  async #start(record: EngineRecord, launcher: Launcher, door: Door): Promise<void> {
    const { registry } = this.#controller;
    // It may have waited for its turn.
    if (this.#closed) throw new LaunchError(`Engine ${record.id} was not started: the cluster is stopping`);
    if (registry.engines.get(record.id) !== record)
      throw new LaunchError(`Engine ${record.id} was not started: it was removed before`);
    const { cwd, env, beat, supervised, litter } = this.#options;
    const spec: EngineSpec = {
      id: record.id,
      ...door,
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
        reject(notStarted(handle.host, `${inWords(exit)}${printed}`, exit.error));
      });
    });
    // Nobody should find it gone while it is still coming, or miss what it is to tell.
    if (record.supervised) await record.control.rpc();
  }

  #launch(launcher: Launcher, spec: EngineSpec): EngineHandle {
    try {
      this.#launchers.add(launcher);
      return launcher.launch(spec, (warning) => this.#controller.log.warn(warning, { kind: launcher.kind }));
    } catch (error) {
      const limit = limitReached(error);
      throw limit ? notStarted(undefined, limit, error) : error;
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

function notStarted(host: string | undefined, reason: string, cause: unknown): LaunchError {
  return new LaunchError(`An engine could not be started on ${host ?? hostname()}: ${reason}`, { cause });
}

/** The first of them, or all that is different about them where some might have failed. */
function severalFailed(errors: readonly Error[], count: number, min: number): Error {
  if (min === count) return errors[0]!;
  const reasons = [...new Set(errors.map(({ message }) => message))].join('\n  ');
  return new LaunchError(
    `${errors.length} of ${count} engines could not be started, and at least ${min} are wanted:\n  ${reasons}`,
    {
      cause: errors[0],
    },
  );
}

function inWords({ exitCode, signal, error }: EngineExit): string {
  if (error instanceof LaunchError) return error.message;
  if (error) return limitReached(error) ?? `${error.name}: ${error.message}`;
  if (signal) return `its process was ended by ${signal}`;
  return `it exited with code ${exitCode}`;
}
