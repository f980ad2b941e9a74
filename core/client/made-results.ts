/** Results that paradigms make: calls of this client which no view has made, and which their paradigm settles. */
import { NotOnStackError, UsageError, ValueLostError } from '../errors.ts';
import type { PendingResult, ResultHooks, ResultOptions, Settlement } from '../paradigm/paradigm.ts';
import { Status } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { AsyncResult, type PipeHome } from './async-result.ts';
import { Call, type CallHome } from './call.ts';
import { limitCall } from './call-limits.ts';
import type { PartRecord } from './call-parts.ts';

const STATUS = { ok: Status.OK, failed: Status.FAILED, kept: Status.KEPT, lost: Status.LOST };

export interface MakerHome extends CallHome, PipeHome {
  nextCall(): number;
  /** From now on the call has a name here: output and needs find it. */
  enrol(call: Call): void;
}

export function resultMaker(home: MakerHome, hooks: ResultHooks): <T>(options?: ResultOptions) => PendingResult<T> {
  const of: CallHome = {
    get clientId() {
      return home.clientId;
    },
    get clusterId() {
      return home.clusterId;
    },
    incarnationOf: () => 0,
    fetch: (call, part) => fetchAgain(home, hooks, call, part),
    release(call, engines) {
      home.release(call, engines);
      for (const engine of engines) hooks.release?.(call.id, engine);
    },
    async stop(call, _targets, kind, reason) {
      const how = await hooks.stop(call.id, kind, reason);
      // What was stopped has settled for whoever hears of it.
      if (kind === 'interrupt' && how !== 'stuck') await new Promise<void>((resolve) => call.whenDone(resolve));
      return [how];
    },
    async peek(call, _engine, expression) {
      return home.peek(call, await whereIs(call), expression);
    },
    async say(call, _engine, message) {
      return home.say(call, await whereIs(call), message);
    },
    settled: (call) => home.settled(call),
  };
  const whereIs = async ({ id }: Call): Promise<number> => {
    const engine = await hooks.where?.(id);
    if (engine === undefined) throw new NotOnStackError('The task is not running now');
    return engine;
  };
  return (options) => {
    const call = new Call({ id: home.nextCall(), home: of, targets: undefined, assembly: 'single' });
    call.sent = true;
    home.enrol(call);
    if (options) limitCall(call, options);
    return new Made(call, home);
  };
}

class Made<T> implements PendingResult<T> {
  readonly result: AsyncResult<T, T>;
  #call: Call;

  constructor(call: Call, home: PipeHome) {
    this.#call = call;
    this.result = new AsyncResult<T, T>(call, home);
  }

  get call(): number {
    return this.#call.id;
  }

  settle(settlement: Settlement): void {
    const { engine, incarnation, status, started = 0, completed = 0, bytes = 0, parcel, value } = settlement;
    const call = this.#call;
    const part = call.first;
    // Cancelled or timed out meanwhile: nobody will want what stayed there.
    if (part.state !== 'pending') {
      if (status === 'kept') call.home.release(call, [engine]);
      return;
    }
    part.engine = engine;
    part.incarnation = incarnation;
    part.started = started;
    part.completed = completed;
    part.bytes = bytes;
    if (status === 'ok' && !parcel) part.decoded = { value };
    call.settlePart(part, STATUS[status], parcel?.payload);
  }

  fail(error: Error): void {
    this.#call.fail(error);
  }
}

/** From its engine; where that was lost, from the one that has made it again. */
async function fetchAgain(home: MakerHome, hooks: ResultHooks, call: Call, part: PartRecord): Promise<Payload> {
  try {
    return await home.fetch(call, part);
  } catch (error) {
    if (!hooks.again || !(error instanceof ValueLostError)) throw error;
    const { engine, incarnation, status, parcel } = await hooks.again(call.id);
    Object.assign(part, { engine, incarnation });
    if (status === 'ok' && parcel) return parcel.payload;
    if (status !== 'kept') throw new UsageError('A result that was made again is ok or kept');
    return home.fetch(call, part);
  }
}
