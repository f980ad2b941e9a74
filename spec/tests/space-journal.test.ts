/** The journal of durable spaces against a plain list: whatever comes, goes, is renewed and refused, a restart finds what was there. */
import fc from 'fast-check';
import { type ControllerHost, type Logger, memoryStores, type Store, StoreFullError } from 'tutti';
import { expect, test } from 'vitest';
import { Deadlines } from '../../paradigms/tuplespace/deadlines.ts';
import type { FieldForm, TupleForm } from '../../paradigms/tuplespace/forms.ts';
import { SpaceJournal } from '../../paradigms/tuplespace/journal.ts';
import type { Space } from '../../paradigms/tuplespace/space.ts';
import { Spaces } from '../../paradigms/tuplespace/spaces.ts';
import type { Entry } from '../../paradigms/tuplespace/store/entry.ts';
import { Matcher } from '../../paradigms/tuplespace/store/matcher.ts';

const quiet = (): void => {};
const log: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const clock = {
  now: () => performance.now(),
  callLater: () => ({ cancel: quiet }),
} as unknown as ControllerHost['clock'];

interface Held {
  readonly tuple: TupleForm;
  readonly leased: boolean;
}

/** What a controller has of its spaces, without its clients. */
class Controller {
  readonly spaces: Spaces;
  readonly space: Space;

  static async start(store: Store): Promise<Controller> {
    const host = { durable: true, clock, log } as ControllerHost;
    const spaces = new Spaces(host, new Deadlines(clock), await SpaceJournal.open(store, clock, log));
    return new Controller(spaces, await spaces.open('s', { durable: true }));
  }

  private constructor(spaces: Spaces, space: Space) {
    this.spaces = spaces;
    this.space = space;
  }

  /** As a session does it: what could not be made durable is taken back. */
  out(tuples: readonly TupleForm[], lease: number | undefined, lost: () => void): number[] {
    let seqs: number[] = [];
    const done = (entries: Entry[]): void => {
      seqs = entries.map(({ seq }) => seq);
      this.spaces.journal.after((error) => {
        if (!error) return;
        for (const seq of seqs) this.space.revoke(seq);
        lost();
      });
    };
    this.space.out(tuples, { lease }, done, quiet);
    return seqs;
  }

  take(n: number): void {
    this.space.taken(this.space.find(new Matcher([n, []]), true)!);
  }

  get held(): Held[] {
    return this.space.all(undefined, false).map(({ tuple, lease }) => ({ tuple, leased: lease !== undefined }));
  }

  /** Also when what was written has failed. */
  settled(): Promise<void> {
    return this.spaces.journal.settled().catch(quiet);
  }
}

/** A store that has no room now and then: for nothing but removals, as stores have it. */
function scarce(store: Store, isFull: () => boolean): Store {
  const write: Store['write'] = async (changes) => {
    if (isFull() && changes.some(({ value }) => value)) throw new StoreFullError('There is no room');
    await store.write(changes);
  };
  return { get: (key) => store.get(key), entries: (range) => store.entries(range), close: () => store.close(), write };
}

const nOf = (tuple: TupleForm): number => (tuple as readonly [number])[0];

const many = (from: number, to: number): TupleForm[] =>
  Array.from({ length: to - from + 1 }, (_, i): TupleForm => [from + i, '']);

/** What a restart would find. */
async function held(store: Store): Promise<{ n: number; leased: boolean }[]> {
  return (await Controller.start(store)).held.map(({ tuple, leased }) => ({ n: nOf(tuple), leased }));
}

async function withStore<T>(use: (store: Store) => Promise<T>): Promise<T> {
  const stores = memoryStores();
  try {
    return await use(await stores.open('spaces'));
  } finally {
    await stores.close();
  }
}

const PAYLOADS: FieldForm[] = ['', 'x'.repeat(300), 'x'.repeat(40_000), 7n, undefined, Number.NaN];
const LEASE = 1e8;
const few = fc.integer({ min: 1, max: 4 });
const act = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant('out' as const),
      count: fc.oneof(few, few, fc.integer({ min: 1, max: 2_000 })),
      payload: fc.nat({ max: PAYLOADS.length - 1 }),
      lease: fc.constantFrom(undefined, undefined, LEASE, 0),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('take' as const),
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      count: fc.oneof(few, fc.integer({ min: 1, max: 2_000 })),
      /** One of so many is left. */
      spare: fc.constantFrom(0, 0, 2, 9, 100),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('renew' as const),
      from: fc.double({ min: 0, max: 1, noNaN: true }),
      count: fc.integer({ min: 1, max: 100 }),
      lease: fc.constantFrom(LEASE, Number.POSITIVE_INFINITY),
    }),
  },
  { weight: 8, arbitrary: fc.record({ act: fc.constantFrom('write', 'write', 'restart', 'full' as const) }) },
);

test(
  'random outs, takes, renewals, restarts, and times without room: what is found is what was there, in its order',
  () =>
    fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 40 }), (acts) =>
        withStore(async (memory) => {
          let isFull = false;
          const store = scarce(memory, () => isFull);
          let controller = await Controller.start(store);
          const model = new Map<number, Held & { readonly seq: number }>();
          let next = 0;
          const out = (count: number, payload: FieldForm, lease: number | undefined): void => {
            const tuples = Array.from({ length: count }, (): readonly [number, FieldForm] => [++next, payload]);
            const lost = (): void => {
              for (const [n] of tuples) model.delete(n);
            };
            const seqs = controller.out(tuples, lease, lost);
            if (lease === 0) return; // nobody has waited for it
            for (const [i, tuple] of tuples.entries()) model.set(tuple[0], { tuple, leased: !!lease, seq: seqs[i]! });
          };
          const some = (from: number, count: number): [number, Held & { readonly seq: number }][] =>
            [...model].slice(Math.floor(from * model.size)).slice(0, count);
          const restart = async (): Promise<void> => {
            await controller.settled();
            // What there was no room for is written with the next change.
            isFull = false;
            out(1, '', undefined);
            await controller.settled();
            controller = await Controller.start(store);
            expect(controller.held).toEqual(Array.from(model.values(), ({ tuple, leased }) => ({ tuple, leased })));
            expect(controller.space.all(undefined, false).map(({ seq }) => seq)).toEqual(
              Array.from(model.values(), ({ seq }) => seq),
            );
          };
          for (const step of acts) {
            if (step.act === 'out') out(step.count, PAYLOADS[step.payload], step.lease);
            else if (step.act === 'take') {
              for (const [i, [n]] of some(step.from, step.count).entries()) {
                if (step.spare && i % step.spare === 0) continue;
                controller.take(n);
                model.delete(n);
              }
            } else if (step.act === 'renew') {
              if (isFull) continue; // whoever renews is told that it is not durable
              for (const [n, held] of some(step.from, step.count)) {
                expect(controller.space.renew(held.seq, step.lease)).toBe(true);
                model.set(n, { ...held, leased: step.lease === LEASE });
              }
            } else if (step.act === 'restart') await restart();
            else {
              await controller.settled();
              isFull = step.act === 'full';
            }
          }
          await restart();
        }),
      ),
      { numRuns: 40 },
    ),
  60_000,
);

test('the store stays in proportion to what it holds, and has nothing of what is gone', () =>
  withStore(async (store) => {
    const bytes = async (): Promise<number> => {
      let sum = 0;
      for await (const [key, value] of store.entries({ prefix: 'tuple/' })) sum += key.length + value.length;
      return sum;
    };
    let controller = await Controller.start(store);
    const all = Array.from({ length: 20_000 }, (_, n) => n);
    controller.out(
      all.map((n) => [n, 'x'.repeat(20)]),
      undefined,
      quiet,
    );
    await controller.settled();
    const before = await bytes();
    for (const n of all) {
      if (n % 50) controller.take(n);
      if (n % 10 === 0) await controller.settled();
    }
    await controller.settled();
    expect(await bytes()).toBeLessThan(before / 10);
    controller = await Controller.start(store);
    expect(controller.held.map(({ tuple }) => nOf(tuple))).toEqual(all.filter((n) => n % 50 === 0));
    for (const n of all) if (n % 50 === 0) controller.take(n);
    await controller.settled();
    expect(await bytes()).toBe(0);
    await controller.spaces.destroy(controller.space);
    controller.space.revoke(1);
    await controller.settled();
    for await (const [key] of store.entries()) expect.fail(key);
  }));

test('what is taken of a space that is being destroyed leaves nothing in the store', () =>
  withStore(async (store) => {
    const controller = await Controller.start(store);
    controller.out(many(1, 3), undefined, quiet);
    await controller.settled();
    const [one] = controller.space.all(new Matcher([1, []]), true);
    await controller.spaces.destroy(controller.space);
    controller.space.taken(one!);
    await controller.settled();
    for await (const [key] of store.entries()) expect.fail(key);
  }));

test('without room, what is gone goes all the same, and what could not be noted is with the next change', () =>
  withStore(async (memory) => {
    let isFull = false;
    const store = scarce(memory, () => isFull);
    const controller = await Controller.start(store);
    const lease = (n: number): Promise<boolean> => held(store).then((all) => all.find((one) => one.n === n)!.leased);
    controller.out(many(1, 1), undefined, quiet);
    await controller.settled();
    const seqs = controller.out(many(2, 101), undefined, quiet);
    await controller.settled();
    isFull = true;
    let refused = 0;
    controller.out(many(200, 201), undefined, () => refused++);
    controller.space.out(many(300, 303), {}, quiet, quiet); // not taken back, as what is collected from elsewhere
    controller.take(1);
    controller.take(2);
    for (const seq of seqs.slice(1)) controller.space.renew(seq, LEASE);
    await controller.settled();
    expect(refused).toBe(1);
    expect((await held(store)).map(({ n }) => n)).toEqual(many(2, 101).map(nOf));
    expect(await lease(3)).toBe(false);
    isFull = false;
    controller.take(3);
    controller.take(300);
    await controller.settled();
    expect((await held(store)).map(({ n }) => n)).toEqual([...many(4, 101), ...many(301, 303)].map(nOf));
    expect(await lease(4)).toBe(true);
  }));

test('a lease that was renewed is kept when others of its record change after a restart', () =>
  withStore(async (store) => {
    const first = await Controller.start(store);
    const [seq] = first.out(many(1, 3), undefined, quiet);
    await first.settled();
    first.space.renew(seq!, LEASE);
    await first.settled();
    const second = await Controller.start(store);
    second.take(2);
    await second.settled();
    expect(await held(store)).toEqual([
      { n: 1, leased: true },
      { n: 3, leased: false },
    ]);
  }));

test('numbers of tuples that cannot be read are not used again', () =>
  withStore(async (store) => {
    const first = await Controller.start(store);
    first.out(many(1, 3), undefined, quiet);
    await first.settled();
    first.take(1);
    await first.settled();
    const keys: string[] = [];
    for await (const [key] of store.entries({ prefix: 'tuple/' })) keys.push(key);
    expect(keys).toHaveLength(2); // tuples, and before them what has become of them
    await store.write([{ key: keys[1]!, value: Buffer.from('[') }]);
    const second = await Controller.start(store);
    expect(second.held).toEqual([]);
    second.out(many(4, 4), undefined, quiet);
    await second.settled();
    second.out(many(5, 7), undefined, quiet);
    await second.settled();
    expect((await held(store)).map(({ n }) => n)).toEqual([4, 5, 6, 7]);
  }));

test('when it is not known what was taken of a record, all of it is there again, and gone for good when it is taken', () =>
  withStore(async (store) => {
    const first = await Controller.start(store);
    first.out(many(1, 3), undefined, quiet);
    await first.settled();
    first.take(1);
    await first.settled();
    const keys: string[] = [];
    for await (const [key] of store.entries({ prefix: 'tuple/' })) keys.push(key);
    await store.write([{ key: keys[0]!, value: Buffer.from('{') }]);
    const second = await Controller.start(store);
    expect(second.held.map(({ tuple }) => nOf(tuple))).toEqual([1, 2, 3]);
    second.take(1);
    await second.settled();
    expect((await held(store)).map(({ n }) => n)).toEqual([2, 3]);
  }));
