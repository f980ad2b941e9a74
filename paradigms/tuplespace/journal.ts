/**
 * What durable spaces hold, in the controller's store: an entry for each tuple, and one for each space. All that happens in one turn is
 * one write; a tuple that comes and goes within it costs none. A request is answered when what it changed is durable.
 */
import { deserialize, serialize } from 'node:v8';
import { type Change, type Logger, Parcel, type Store, StoreCorruptError } from '../../core/index.ts';
import type { FieldForm, TupleForm } from './forms.ts';
import type { Journal, SpaceSettings } from './space.ts';

interface Catalogued {
  readonly id: number;
  readonly settings: SpaceSettings;
}

interface Recovered {
  readonly seq: number;
  readonly tuple: TupleForm;
  /** In ms, from now. */
  readonly lease: number;
}

const SPACES = 'space/';
const DIGITS = 11; // in base 36, all that a number counts up to

export class SpaceJournal {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #catalogue = new Map<string, Catalogued>();
  #lastId = 0;
  #changes = new Map<string, Uint8Array | undefined>();
  /** Those that the store has, or will have when it has done what it was told. */
  #waiting: ((error?: Error) => void)[] = [];
  #scheduled = false;
  #underway: Promise<unknown> = Promise.resolve();

  static async open(store: Store, log: Logger): Promise<SpaceJournal> {
    const journal = new SpaceJournal(store, log);
    for await (const [key, bytes] of journal.#entries(SPACES)) {
      const entry = deserialize(bytes) as Catalogued;
      journal.#catalogue.set(key.slice(SPACES.length), entry);
      journal.#lastId = Math.max(journal.#lastId, entry.id);
    }
    return journal;
  }

  private constructor(store: Store, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  /** Spaces that were durable in former times, by name. */
  get known(): ReadonlyMap<string, Catalogued> {
    return this.#catalogue;
  }

  /** Notes down the space, if it is new. */
  of(name: string, settings: SpaceSettings): Journal {
    let catalogued = this.#catalogue.get(name);
    if (!catalogued) {
      catalogued = { id: ++this.#lastId, settings };
      this.#catalogue.set(name, catalogued);
      this.#change(SPACES + name, serialize(catalogued));
    }
    const prefix = prefixOf(catalogued.id);
    return {
      put: (entry, lease) => this.#change(prefix + digits(entry.seq), packed(entry.tuple, lease)),
      remove: ({ seq }) => this.#change(prefix + digits(seq), undefined),
    };
  }

  /** What the space held, from the oldest tuple on. What is damaged is left out, and told to the log. */
  async *recover(name: string): AsyncGenerator<Recovered> {
    const prefix = prefixOf(this.#catalogue.get(name)!.id);
    const now = Date.now();
    for await (const [key, bytes] of this.#entries(prefix)) {
      try {
        const [fields, until] = read(bytes);
        const expires = until ?? Number.POSITIVE_INFINITY;
        const seq = Number.parseInt(key.slice(prefix.length), 36);
        if (expires > now) yield { seq, tuple: unpacked(fields), lease: expires - now };
        else this.#change(key, undefined);
      } catch (error) {
        this.#log.error(`Space '${name}': what its journal has at '${key}' is no tuple, and was left out`, { error });
      }
    }
  }

  async forget(name: string): Promise<void> {
    const catalogued = this.#catalogue.get(name);
    if (!catalogued) return;
    this.#catalogue.delete(name);
    await this.settled();
    this.#change(SPACES + name, undefined);
    for await (const [key] of this.#entries(prefixOf(catalogued.id))) this.#change(key, undefined);
    await this.settled();
  }

  /** Calls back when all that has changed until now is durable, or could not be. */
  after(done: (error?: Error) => void): void {
    this.#waiting.push(done);
    this.#schedule();
  }

  settled(): Promise<void> {
    return new Promise((resolve, reject) => this.after((error) => (error ? reject(error) : resolve())));
  }

  #change(key: string, value: Uint8Array | undefined): void {
    this.#changes.set(key, value);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const changes: Change[] = [];
    for (const [key, value] of this.#changes) changes.push({ key, value });
    this.#changes = new Map();
    const waiting = this.#waiting.splice(0);
    const tell = (error?: Error): void => {
      for (const done of waiting) done(error);
    };
    const before = this.#underway;
    // Writes are made durable in order, so whoever has changed nothing waits for those before all the same.
    const written = changes.length ? this.#store.write(changes) : before;
    this.#underway = Promise.all([before, written]).catch(() => {});
    written.then(
      () => tell(),
      (error) => {
        if (!waiting.length) this.#log.error('What has changed in durable spaces could not be written', { error });
        tell(error);
      },
    );
  }

  /** Goes on behind what is damaged. */
  async *#entries(prefix: string): AsyncGenerator<[string, Uint8Array]> {
    for (let from = prefix; ; ) {
      try {
        yield* this.#store.entries({ prefix, from });
        return;
      } catch (error) {
        if (!(error instanceof StoreCorruptError) || error.key === undefined) throw error;
        this.#log.error(`A tuple of a durable space is lost: ${error.message}`, { key: error.key });
        from = `${error.key}\0`;
      }
    }
  }
}

const prefixOf = (id: number): string => `tuple/${id.toString(36)}/`;
const digits = (seq: number): string => seq.toString(36).padStart(DIGITS, '0');

/** As JSON where that keeps all of it, which is several times faster; else as Node does it, whose first byte is none of JSON. */
function packed(tuple: TupleForm, lease: number): Uint8Array {
  const expires = lease === Number.POSITIVE_INFINITY ? null : Date.now() + lease;
  const forms = Array.isArray(tuple) ? (tuple as readonly FieldForm[]) : Object.values(tuple);
  if (forms.every(isJson)) return Buffer.from(JSON.stringify([tuple, expires]));
  const fields = mapForms(tuple, (form) => {
    if (typeof form !== 'object' || form?.[0] !== 'parcel') return form;
    const { payload, code, needs } = form[3];
    return [form[0], form[1], form[2], { payload, code, needs }];
  });
  return serialize([fields, expires]);
}

function isJson(form: FieldForm): boolean {
  if (typeof form === 'number') return Number.isFinite(form) && !Object.is(form, -0);
  if (typeof form === 'string') return (form as unknown as { isWellFormed(): boolean }).isWellFormed();
  return typeof form === 'boolean' || form === null || (typeof form === 'object' && form[0] === 'json');
}

const OPENING = '['.charCodeAt(0);

function read(bytes: Uint8Array): [fields: TupleForm, expires: number | null] {
  if (bytes[0] !== OPENING) return deserialize(bytes);
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
}

function unpacked(fields: TupleForm): TupleForm {
  return mapForms(fields, (form) => {
    if (typeof form !== 'object' || form?.[0] !== 'parcel') return form;
    const { payload, code, needs } = form[3];
    return [form[0], form[1], form[2], new Parcel(payload, code, needs)];
  }) as TupleForm;
}

function mapForms(tuple: TupleForm, map: (form: FieldForm) => unknown): unknown {
  const plain = Array.isArray(tuple) ? tuple : Object.values(tuple);
  if (!plain.some((form) => typeof form === 'object' && form !== null)) return tuple;
  if (Array.isArray(tuple)) return tuple.map(map);
  return Object.fromEntries(Object.entries(tuple).map(([key, form]) => [key, map(form)]));
}
