/** The farm's half on the controller, with a host that says when what tasks have printed has been passed on. */
import { expect, test } from 'vitest';
import { type ClusterEvent, type ControllerHost, Parcel } from '../../core/index.ts';
import { silentLogger } from '../../core/log.ts';
import { memoryStores } from '../../core/store/memory-store.ts';
import { decode, encode } from '../../core/wire/codec.ts';
import { TestClock } from '../../main.ts';
import { controllerHalf } from '../../paradigms/farm/controller/half.ts';
import { OrdersLetter, ReportLetter, SettlementsLetter, SubmissionLetter } from '../../paradigms/farm/letters.ts';
import { Ending } from '../../paradigms/farm/messages.ts';

interface Sent {
  engine: number;
  slot: number;
  ticket: number;
  call: number;
}

const CLIENT = 1;

/** A farm with these engines, none of which runs anything by itself. */
async function farmOf(engines: readonly number[]) {
  const sent: Sent[] = [];
  const settled: number[] = [];
  const held: { engine: number; end: number; then(lost: boolean): void }[] = [];
  let tell = (_: ClusterEvent): void => {};
  let drain = async (_: number): Promise<void> => {};
  const infoOf = (id: number) => ({ id, incarnation: 1, state: 'alive' }) as never;
  const read = <T>(parts: readonly Uint8Array[]): T => decode({ codec: 'msgpack', parts: [...parts] }) as T;
  const party = (told: (op: string, parts: readonly Uint8Array[]) => void) => ({ tell() {}, tellBytes: told });
  const host = {
    cluster: { id: 'c', name: 'c' },
    engines: engines.map(infoOf),
    durable: false,
    log: silentLogger,
    clock: new TestClock(),
    engine: (id: number) =>
      party((_, parts) => {
        const { slot, first, calls } = OrdersLetter.read(parts, read);
        for (const [i, call] of calls.entries()) sent.push({ engine: id, slot, ticket: first + i, call });
      }),
    client: () => party((_, parts) => settled.push(...SettlementsLetter.read(parts, read).calls)),
    parcel: (value: unknown) => new Parcel(encode(value)),
    read: (parcel: Parcel) => decode(parcel.payload),
    store: () => memoryStores().open('farm'),
    restart: async () => {},
    onEvent: (listener: typeof tell) => void (tell = listener),
    onDrain: (handler: typeof drain) => void (drain = handler),
    whenTold: (engine: number, end: number, then: (lost: boolean) => void) => void held.push({ engine, end, then }),
    report() {},
    demand() {},
    tasks() {},
  };
  const half = (await controllerHalf(host as unknown as ControllerHost)) as Record<string, (...args: any[]) => void>;
  const caller = (role: string, id: number) => ({ role, id, signal: new AbortController().signal });
  return {
    sent,
    settled,
    held,
    drain: (id: number) => drain(id),
    submit(...calls: number[]): void {
      const letter = new SubmissionLetter();
      for (const call of calls) {
        letter.calls.push(call);
        letter.fns.push(1);
        letter.specs.push(1);
        letter.args.add(new Uint8Array([0x90]));
      }
      const newFns = [{ id: 1, name: 'f', parcel: new Parcel(encode(1)) }];
      const more = new Parcel(encode({ newFns, newSpecs: [[1, { attempts: 1, priority: 0 }]] }));
      half.submit!(letter.parts(0, more), caller('client', CLIENT));
    },
    /** `end`: it has printed something. */
    done({ engine, slot, ticket }: Sent, end = 0): void {
      const letter = new ReportLetter();
      letter.tickets.push(ticket);
      letter.endings.push(Ending.OK);
      for (const column of [letter.started, letter.ran, letter.sizes]) column.push(1);
      if (end) letter.tells(end);
      letter.values.add(new Uint8Array([7]));
      half.done!(letter.parts(slot, undefined), caller('engine', engine));
    },
    lost(engine: number): void {
      for (const { then } of held.splice(0)) then(true);
      tell({ type: 'engine-lost', engine: infoOf(engine), reason: 'it was killed' });
    },
    joined: (engine: number) => tell({ type: 'engine-joined', engine: infoOf(engine) }),
  };
}

/** What is held leaves together with all that is decided in the same turn. */
const turned = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a result waits for what its task has printed, and no other does', async () => {
  const farm = await farmOf([0]);
  farm.submit(1);
  farm.done(farm.sent[0]!, 100);
  // The engine is free all the same.
  farm.submit(2);
  farm.done(farm.sent[1]!);
  expect(farm.settled).toEqual([2]);
  expect(farm.held).toMatchObject([{ engine: 0, end: 100 }]);
  farm.held[0]!.then(false);
  await turned();
  expect(farm.settled).toEqual([2, 1]);
});

test('an engine that is lost before that has its task run again, once', async () => {
  const farm = await farmOf([0]);
  farm.submit(1);
  for (let life = 0; life < 2; life++) {
    expect(farm.sent).toHaveLength(life + 1);
    farm.done(farm.sent[life]!, 100);
    expect(farm.settled).toEqual([]);
    farm.lost(0);
    await turned();
    farm.joined(0);
  }
  expect(farm.sent).toHaveLength(2);
  expect(farm.settled).toEqual([1]);
});

test('an engine drains when that has been passed on', async () => {
  const farm = await farmOf([0]);
  farm.submit(1);
  farm.done(farm.sent[0]!, 100);
  let drained = false;
  const draining = farm.drain(0).then(() => void (drained = true));
  await turned();
  expect(drained).toBe(false);
  farm.held[0]!.then(false);
  await draining;
});
