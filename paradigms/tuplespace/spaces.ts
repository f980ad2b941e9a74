/** All spaces of a cluster, by name. */
import { type ControllerHost, UsageError } from '../../core/index.ts';
import type { Deadlines } from './deadlines.ts';
import { SpaceError, SpaceNotFoundError } from './errors.ts';
import type { SpaceJournal } from './journal.ts';
import type { OpenOptions } from './protocol.ts';
import { Space, type SpaceSettings } from './space.ts';

const ORDERS = ['fifo', 'lifo', 'random'];
const LONGEST_NAME = 100;
/** Recovered tuples between two turns of the event loop. */
const TURN = 1_000;

export class Spaces {
  readonly #host: ControllerHost;
  readonly #deadlines: Deadlines;
  readonly journal: SpaceJournal;
  readonly #spaces = new Map<string, Space>();
  readonly #recovering = new Map<string, Promise<Space>>();

  constructor(host: ControllerHost, deadlines: Deadlines, journal: SpaceJournal) {
    this.#host = host;
    this.#deadlines = deadlines;
    this.journal = journal;
  }

  /** Those that are in memory, and those that only the journal knows. */
  list(): object[] {
    const asleep = [...this.journal.known]
      .filter(([name]) => !this.#spaces.has(name))
      .map(([name, { settings }]) => ({ name, ...settings, recovered: false }));
    return [...[...this.#spaces.values()].map(({ info }) => info), ...asleep];
  }

  /** A promise only where the journal has to be read. */
  open(name: string, options: OpenOptions = {}): Space | Promise<Space> {
    checkName(name);
    const known = this.#spaces.get(name);
    if (known) {
      checkSettings(name, known.settings, options);
      return known;
    }
    const before = this.journal.known.get(name);
    if (before) {
      checkSettings(name, before.settings, options);
      return this.#recover(name, before.settings);
    }
    if (options.create === false) throw this.#unknown(name);
    const { order = 'fifo', durable = false, bound = Number.POSITIVE_INFINITY } = options;
    if (!ORDERS.includes(order)) throw new UsageError(`order is one of ${ORDERS.join(', ')}; got ${String(order)}`);
    if (bound !== Number.POSITIVE_INFINITY && !(Number.isInteger(bound) && bound > 0))
      throw new UsageError(`bound is a number of tuples from 1 on; got ${String(bound)}`);
    if (durable && !this.#host.durable)
      throw new SpaceError(
        `Space '${name}' cannot be durable: what this cluster keeps ends with it. Start it with a folder: cluster({ durable: 'folder' }), or tutti start --durable FOLDER`,
      );
    const settings = { order, durable, bound };
    const space = new Space(name, settings, this.#deadlines, durable ? this.journal.of(name, settings) : undefined);
    this.#spaces.set(name, space);
    return space;
  }

  async destroy(space: Space): Promise<void> {
    if (this.#spaces.get(space.name) === space) this.#spaces.delete(space.name);
    space.destroy();
    if (space.settings.durable) await this.journal.forget(space.name);
  }

  #recover(name: string, settings: SpaceSettings): Promise<Space> {
    let recovering = this.#recovering.get(name);
    if (!recovering) {
      recovering = this.#read(name, settings).finally(() => this.#recovering.delete(name));
      this.#recovering.set(name, recovering);
    }
    return recovering;
  }

  async #read(name: string, settings: SpaceSettings): Promise<Space> {
    const space = new Space(name, settings, this.#deadlines, this.journal.of(name, settings));
    let count = 0;
    let nextTurn = TURN;
    let highest = 0;
    for await (const { last, tuples } of this.journal.recover(name)) {
      highest = Math.max(highest, last);
      for (const { seq, tuple, lease, renewed, batch } of tuples) {
        const entry = space.recover(seq, tuple, lease);
        batch?.add(entry);
        if (renewed) batch?.renew(entry);
      }
      count += tuples.length;
      if (count < nextTurn) continue;
      nextTurn = count + TURN;
      await new Promise(setImmediate);
    }
    space.goOnAfter(highest);
    this.#spaces.set(name, space);
    this.#host.log.info(`Space '${name}' has its ${count} tuples again`);
    return space;
  }

  #unknown(name: string): SpaceNotFoundError {
    const names = [...new Set([...this.#spaces.keys(), ...this.journal.known.keys()])].sort();
    return new SpaceNotFoundError(`There is no space '${name}'; spaces here: ${names.join(', ') || 'none'}`);
  }
}

function checkName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_NAME || /[\p{Surrogate}\0]/u.test(name))
    throw new UsageError(`A space's name is a text of 1 to ${LONGEST_NAME} characters; got ${JSON.stringify(name)}`);
}

/** What is not said fits. */
function checkSettings(name: string, settings: SpaceSettings, options: OpenOptions): void {
  for (const key of ['order', 'durable', 'bound'] as const) {
    const [is, wanted] = [settings[key], options[key]];
    if (wanted === undefined || wanted === is) continue;
    throw new SpaceError(
      `Space '${name}' is there with ${key}: ${String(is)}, not ${String(wanted)}; leave the option out, or take another name`,
    );
  }
}
