/**
 * Services that belong together, and stand on one another: started in order, each when the one before it has started,
 * and stopped in reverse. Starts, stops, additions and removals take place one after the other, in the order of the calls.
 */
import { CancelledError, UsageError } from '../errors.ts';
import { type Logger, silentLogger } from '../log.ts';
import type { Service } from './service.ts';

export interface ServiceTree extends Service, AsyncDisposable {
  readonly state: 'stopped' | 'starting' | 'running' | 'stopping';
  /** In the order in which they start. */
  readonly services: readonly Service[];
  /**
   * Starts all. When one fails, those before it are stopped, and the promise rejects with that failure. When a stop comes
   * meanwhile, the service that is starting finishes, those behind it are not started, and this rejects with CancelledError.
   */
  start(): Promise<void>;
  /** Stops all that were started, whatever fails; AggregateError of what has failed. The tree can be started again. */
  stop(): Promise<void>;
  /**
   * Puts a service behind the others; in a tree that runs it is started now, and if that fails it is not in the tree.
   * Rejects with UsageError when the name is taken. Not to be awaited in a `start` or `stop` of this tree.
   */
  add(service: Service): Promise<void>;
  /** Takes a service out, and stops it where it was started. It is out also if its stop fails, which rejects. */
  remove(name: string): Promise<void>;
}

export interface ServiceTreeOptions {
  /** Is told what fails to stop, at once; a start that is undone rejects with what made it fail. */
  log?: Logger | undefined;
}

/** Throws UsageError for two services of one name. */
export function serviceTree(
  name: string,
  services: readonly Service[] = [],
  { log = silentLogger }: ServiceTreeOptions = {},
): ServiceTree {
  return new Tree(name, services, log);
}

/** A change that waits for those before it, or takes place. */
interface Change {
  readonly kind: 'start' | 'stop' | 'member';
  readonly done: Promise<void>;
}

class Tree implements ServiceTree {
  readonly name: string;
  state: ServiceTree['state'] = 'stopped';
  #members: Service[] = [];
  #started = new Set<Service>();
  #changes: Change[] = [];
  #log: Logger;

  constructor(name: string, services: readonly Service[], log: Logger) {
    this.name = name;
    this.#log = log;
    for (const service of services) this.#insert(service);
  }

  get services(): readonly Service[] {
    return [...this.#members];
  }

  start(): Promise<void> {
    return this.#once('start', async () => {
      if (this.state === 'running') return;
      this.state = 'starting';
      try {
        for (const service of this.#members) {
          if (this.#changes.some(({ kind }) => kind === 'stop'))
            throw new CancelledError(`The services of '${this.name}' were stopped while they were starting`);
          await this.#startOne(service);
        }
      } catch (reason) {
        await this.#stopAll();
        throw reason;
      }
      this.state = 'running';
    });
  }

  stop(): Promise<void> {
    return this.#once('stop', async () => {
      const count = this.#started.size;
      const errors = await this.#stopAll();
      if (errors.length === 0) return;
      const texts = errors.map((error) => (error instanceof Error ? error.message : String(error)));
      throw new AggregateError(
        errors,
        `${errors.length} of ${count} services of '${this.name}' failed to stop: ${texts.join('; ')}`,
      );
    });
  }

  add(service: Service): Promise<void> {
    return this.#inTurn('member', async () => {
      this.#insert(service);
      if (this.state !== 'running') return;
      try {
        await this.#startOne(service);
      } catch (error) {
        this.#members.pop();
        throw error;
      }
    });
  }

  remove(name: string): Promise<void> {
    return this.#inTurn('member', async () => {
      const service = this.#members.find((member) => member.name === name);
      if (!service) throw new UsageError(`'${this.name}' has no service '${name}'; it has ${this.#names()}`);
      this.#members = this.#members.filter((member) => member !== service);
      if (this.#started.delete(service)) await service.stop();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** A second start (or stop) right after the first is the same one. */
  #once(kind: 'start' | 'stop', change: () => Promise<void>): Promise<void> {
    const last = this.#changes.at(-1);
    return last?.kind === kind ? last.done : this.#inTurn(kind, change);
  }

  #inTurn(kind: Change['kind'], change: () => Promise<void>): Promise<void> {
    const before = this.#changes.at(-1)?.done ?? Promise.resolve();
    const done = before.then(change, change).finally(() => this.#changes.shift());
    this.#changes.push({ kind, done });
    return done;
  }

  #insert(service: Service): void {
    if (this.#members.some(({ name }) => name === service.name))
      throw new UsageError(`'${this.name}' has a service '${service.name}' already; give this one another name`);
    this.#members.push(service);
  }

  async #startOne(service: Service): Promise<void> {
    await service.start();
    this.#started.add(service);
  }

  /** What has failed, in the order of the stops. */
  async #stopAll(): Promise<unknown[]> {
    this.state = 'stopping';
    const errors: unknown[] = [];
    for (const service of [...this.#started].reverse()) {
      try {
        await service.stop();
      } catch (error) {
        errors.push(error);
        this.#log.warn('A service could not be stopped', { tree: this.name, service: service.name, error });
      }
    }
    this.#started.clear();
    this.state = 'stopped';
    return errors;
  }

  #names(): string {
    return this.#members.map(({ name }) => `'${name}'`).join(', ') || 'none';
  }
}
