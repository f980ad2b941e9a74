/** The farm's half on the controller, with a host and engines that do only what a test says. */
import { type ClusterEvent, type ControllerHost, Parcel } from '../../../core/index.ts';
import { silentLogger } from '../../../core/log.ts';
import { memoryStores } from '../../../core/store/memory-store.ts';
import { decode, encode } from '../../../core/wire/codec.ts';
import { TestClock } from '../../../main.ts';
import { controllerHalf } from '../../../paradigms/farm/controller/half.ts';
import { OrdersLetter, ReportLetter, SettlementsLetter, SubmissionLetter } from '../../../paradigms/farm/letters.ts';
import { Ending } from '../../../paradigms/farm/messages.ts';

export interface Sent {
  engine: number;
  slot: number;
  ticket: number;
  call: number;
  /** ms that its report may wait. */
  patience: number;
}

const CLIENT = 1;
let made = 0;

/** A farm with these engines, none of which runs anything by itself. */
export async function farmHalf(engines: readonly number[]) {
  const name = `f${made++}`; // what one farm learns of its function is known to all
  const sent: Sent[] = [];
  const settled: number[] = [];
  const recalls: { engine: number; call: number }[] = [];
  const held: { engine: number; end: number; then(lost: boolean): void }[] = [];
  let tell = (_: ClusterEvent): void => {};
  let drain = async (_: number): Promise<void> => {};
  const infoOf = (id: number) => ({ id, incarnation: 1, state: 'alive' }) as never;
  const read = <T>(parts: readonly Uint8Array[]): T => decode({ codec: 'msgpack', parts: [...parts] }) as T;
  const party = (
    tellBytes: (op: string, parts: readonly Uint8Array[]) => void,
    tell: (op: string, value: any) => void = () => {},
  ) => ({ tell, tellBytes });
  const host = {
    cluster: { id: 'c', name: 'c' },
    engines: engines.map(infoOf),
    durable: false,
    log: silentLogger,
    clock: new TestClock(),
    engine: (id: number) =>
      party(
        (_, parts) => {
          const { slot, first, calls, patience } = OrdersLetter.read(parts, read);
          for (const [i, call] of calls.entries()) sent.push({ engine: id, slot, ticket: first + i, call, patience });
        },
        (op, { call }) => op === 'recall' && recalls.push({ engine: id, call }),
      ),
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
    /** What engines were asked to give back, from which task on. */
    recalls,
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
      const newFns = [{ id: 1, name, parcel: new Parcel(encode(1)) }];
      const more = new Parcel(encode({ newFns, newSpecs: [[1, { attempts: 1, priority: 0 }]] }));
      half.submit!(letter.parts(0, more)[0], caller('client', CLIENT));
    },
    /**
     * Of one engine, in one report, one after the other from `started`, each `ran` ms. `end`: they have printed something, which ends
     * there.
     */
    done(ended: Sent | readonly Sent[], { end = 0, started = 1, ran = 1 } = {}): void {
      const runs = [ended].flat() as Sent[];
      const letter = new ReportLetter();
      for (const [i, { ticket }] of runs.entries()) {
        letter.tickets.push(ticket);
        letter.endings.push(Ending.OK);
        letter.started.push(started + i * ran);
        letter.ran.push(ran);
        letter.sizes.push(1);
        if (end) letter.tells(end);
        letter.values.add(new Uint8Array([7]));
      }
      const { engine, slot } = runs[0]!;
      half.done!(letter.parts(slot, undefined)[0], caller('engine', engine));
    },
    /** An engine's answer when it is asked to. */
    givesBack({ engine, slot }: Pick<Sent, 'engine' | 'slot'>, tickets: readonly number[]): void {
      const letter = new ReportLetter();
      for (const ticket of tickets) letter.returned.push(ticket);
      half.done!(letter.parts(slot, undefined)[0], caller('engine', engine));
    },
    lost(engine: number): void {
      for (const { then } of held.splice(0)) then(true);
      tell({ type: 'engine-lost', engine: infoOf(engine), reason: 'it was killed' });
    },
    joined: (engine: number) => tell({ type: 'engine-joined', engine: infoOf(engine) }),
  };
}
