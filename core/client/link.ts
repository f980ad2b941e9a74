/** A client's link to its controller: sends calls, takes replies, output and news, and comes back after a cut. */
import type { ConnectionInfo, EngineInfo } from '../cluster-info.ts';
import type { InterruptResult } from '../conversation.ts';
import { CancelledError, DependencyError, ProtocolError, SessionLostError, ValueLostError } from '../errors.ts';
import { FunctionSender } from '../functions/index.ts';
import { Numbered } from '../numbered.ts';
import { decode, encode } from '../wire/codec.ts';
import { dialSession } from '../wire/dialled-session.ts';
import { type Envelope, Kind, type Need, payloadText, Status, Stream, textPayload } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { parseToken } from '../wire/handshake.ts';
import { isPlain } from '../wire/plain.ts';
import { keepPulse } from '../wire/pulse.ts';
import { answering, Rpc } from '../wire/rpc.ts';
import type { Session } from '../wire/session.ts';
import type { TlsOptions } from '../wire/transport.ts';
import { Luggage } from './arguments.ts';
import { AsyncResult, type PipeHome } from './async-result.ts';
import { Call, type CallHome } from './call.ts';
import { limitCall } from './call-limits.ts';
import type { PartRecord, Printed } from './call-parts.ts';
import type { CallOptions, CallSpec } from './call-spec.ts';
import { ClusterNews } from './cluster-news.ts';
import { type Echo, silentEcho } from './echo.ts';
import { Flow } from './flow.ts';
import { Lending } from './lending.ts';
import { type MakerHome, resultMaker } from './made-results.ts';
import { Paradigms, type ParadigmsHome } from './paradigms.ts';
import { aboutProgram } from './program.ts';

export interface LinkOptions {
  /** Where output goes that no `stdout$` listens to. Default: this process's stdout and stderr, each line with `[engine] `. */
  echo?: Echo | undefined;
  /** ms that a cut connection is dialled again. Default 10,000. */
  window?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Where the controller is in this process: takes what this program uses. */
  offer?: ParadigmsHome['offer'];
  /** Only watches: engines, events, `status`. */
  observe?: boolean | undefined;
  /** For `tls:` and `wss:` addresses: whom to trust, in place of what the connection record says. */
  tls?: TlsOptions | undefined;
}

/** ms that a cut connection is dialled again; a silent one is cut after three times that. */
const WINDOW = 10_000;
const SILENT_WINDOWS = 3;

export class Link implements CallHome, PipeHome, MakerHome {
  clientId = 0;
  clusterId = '';
  name = '';
  readonly news = new ClusterNews((event) => {
    if (event.type === 'engine-lost') this.paradigms.engineLost(event.engine.id, event.reason);
  });
  readonly sender = new FunctionSender();
  /** Is told of every call that is made: for the console, which shows what goes on and interrupts it. */
  made: ((result: AsyncResult<any>) => void) | undefined;
  rpc!: Rpc;
  readonly paradigms: Paradigms;
  #session!: Session;
  #calls = new Numbered<Call>();
  #lending = new Lending((id, engines) => this.#release(id, engines));
  #sentCode = new Set<string>();
  #next = 0;
  #flow = new Flow();
  #echo: Echo;
  #ended: Error | undefined;
  #tellClosed!: (why: Error) => void;
  /** Resolves with why there is no connection any more, and will be none. */
  readonly closed = new Promise<Error>((resolve) => {
    this.#tellClosed = resolve;
  });

  private constructor(options: LinkOptions) {
    this.#echo = options.echo ?? silentEcho;
    this.paradigms = new Paradigms({
      send: (header, payloads, owned) => this.#session.send(header, payloads, owned),
      drained: () => this.#session.drained(),
      engines: () => this.news.engines.filter(({ state }) => state !== 'lost').map(({ id }) => id),
      luggage: (value, passing) => {
        if (isPlain(value)) return { payload: encode(value, { passing }), luggage: NO_LUGGAGE };
        const luggage = new Luggage(this.sender, this.clusterId);
        const payload = luggage.pack(value, { root: 'value', passing });
        this.#sendCode(luggage.code);
        const user = { uses: [...luggage.uses] };
        for (const call of user.uses) this.#lending.show(call);
        const lend = (): (() => void) => {
          this.#lending.borrow(user);
          return () => this.#lending.giveBack(user);
        };
        return { payload, luggage, ...(user.uses.length && { lend }) };
      },
      offer: options.offer,
      clientId: () => this.clientId,
      nextCall: () => this.nextCall(),
      settled: (call) => this.#settledCall(call),
      results: (hooks) => resultMaker(this, hooks),
    });
  }

  static async open(info: ConnectionInfo, options: LinkOptions = {}): Promise<Link> {
    const link = new Link(options);
    const { window = WINDOW, observe = false } = options;
    await dialSession({
      urls: info.urls,
      role: observe ? 'observer' : 'client',
      key: parseToken((observe && info.observerToken) || info.token),
      window,
      signal: options.signal,
      get tls() {
        return { ca: info.ca, cert: info.cert, key: info.key, ...options.tls };
      },
      about: () => ({ ...aboutProgram(), beats: true }),
      handlers: {
        opened: (session, about) => {
          link.#opened(session, about);
          if (about.beat) keepPulse(session, { beat: about.beat, silence: SILENT_WINDOWS * window });
        },
        message: (header, payloads) => link.#receive(header, payloads),
        ended: (reason) =>
          link.#end(new SessionLostError(`The connection to cluster '${link.name}' is gone: ${reason}`)),
      },
    });
    return link;
  }

  #opened(session: Session, about: { client: number; cluster: string; name: string; engines: EngineInfo[] }): void {
    this.#session = session;
    this.clientId = about.client;
    this.clusterId = about.cluster;
    this.name = about.name;
    this.news.engines = about.engines;
    this.rpc = new Rpc((header, payloads, owned) => session.send(header, payloads, owned), {
      value: (header) => this.#valueFor(header),
      'value-there': (header) => this.#valueFor(header, false),
      place: answering((need: Need) => this.#placeOf(need)),
    });
  }

  get traffic(): { sent: number; received: number } {
    return { sent: this.#session.bytesSent, received: this.#session.bytesReceived };
  }

  /** Never throws: what is wrong with the call becomes its error. */
  call<T>(spec: CallSpec, targets: number[], options: CallOptions = {}): AsyncResult<T> {
    const luggage = new Luggage(this.sender, this.clusterId);
    for (const hash of spec.code ?? []) luggage.code.add(hash);
    const { assembly } = spec;
    const base = { id: ++this.#next, home: this, targets, assembly };
    let payloads: Payload[];
    try {
      if (this.#ended) throw this.#ended;
      options.signal?.throwIfAborted();
      payloads = [luggage.pack(spec.args, { first: spec.names?.args })];
      for (const own of spec.own ?? [])
        payloads.push(luggage.pack(typeof own === 'function' ? own(luggage) : own, { first: spec.names?.own }));
    } catch (error) {
      const call = new Call(base);
      call.fail(asError(error));
      return new AsyncResult<T>(call, this);
    }
    const call = new Call({ ...base, uses: [...luggage.uses] });
    call.bytes = luggage.bytes;
    this.#calls.set(call.id, call);
    this.#lending.borrow(call);
    limitCall(call, options);
    const header = {
      kind: Kind.CALL,
      id: call.id,
      op: spec.op,
      targets: [...targets],
      spread: spec.own !== undefined,
      code: [...luggage.code],
      needs: luggage.needs,
      label: options.label ?? null,
    };
    this.#whenPlaced(call, luggage);
    this.#flow.admit(call, () => {
      this.#sendCode(luggage.code);
      this.#session.send(header, payloads, true);
    });
    const result = new AsyncResult<T>(call, this);
    this.made?.(result);
    return result;
  }

  nextCall(): number {
    return ++this.#next;
  }

  /** A call that some paradigm settles. */
  enrol(call: Call): void {
    if (this.#ended) call.fail(this.#ended);
    else this.#calls.set(call.id, call);
  }

  /** An engine that waited for what has no place yet could wait for something behind it in its own queue: it is not sent before. */
  #whenPlaced(call: Call, { unplaced }: Luggage): void {
    if (unplaced.length) call.more.unplaced = unplaced.length;
    for (const { need, part, call: needed } of unplaced) {
      needed.whenDone(() => {
        const { engine, incarnation, error } = part;
        call.more.unplaced--;
        if (error) call.fail(dependencyError(error));
        Object.assign(need, { engine, incarnation, settled: true });
        this.#flow.pump();
      });
    }
  }

  /** A call that failed before it could be made. */
  failed<T>(error: unknown): AsyncResult<T> {
    const call = new Call({
      id: ++this.#next,
      home: this,
      targets: [-1], // none was chosen yet
      assembly: 'single',
    });
    call.fail(asError(error));
    return new AsyncResult<T>(call, this);
  }

  pipe(call: Call, fn: unknown, args: unknown[]): AsyncResult<any> {
    const own = call.parts.map((part) => (luggage: Luggage) => [luggage.part(call, part), ...args]);
    const targets = call.parts.map((part) => part.engine);
    return this.call({ op: 'apply', args: [fn], own, assembly: call.assembly }, targets);
  }

  async fetch(call: Call, part: PartRecord): Promise<Payload> {
    const [payload] = await this.rpc.request('fetch', { ids: [call.id], engine: part.engine });
    if (!payload) throw new ValueLostError(`The result on engine ${part.engine} is gone`);
    return payload;
  }

  /** Waits for the calls that use the value. */
  release(call: Call, engines: number[]): void {
    this.#lending.release(call, engines);
  }

  #release(id: number, engines: number[]): void {
    if (!this.#ended) this.#session.send({ kind: Kind.RELEASE, ids: [id], targets: engines });
  }

  async stop(
    { id }: { id: number },
    targets: number[],
    kind: 'interrupt' | 'cancel',
    reason?: string,
    client = this.clientId,
  ): Promise<InterruptResult[]> {
    try {
      return await this.rpc.ask('interrupt', { client, call: id, targets, kind, reason });
    } catch (error) {
      if (!this.#ended) throw error;
      return targets.map(() => 'lost'); // also where it has ended meanwhile: not everybody waits for the answer
    }
  }

  async peek({ id }: { id: number }, engine: number, expression: string, client = this.clientId): Promise<unknown> {
    const asked = encode({ client, call: id, engine, expression });
    const [value] = await this.rpc.request('peek', {}, [asked]);
    return value && decode(value);
  }

  async say(
    { id }: { id: number },
    engine: number,
    message: Payload,
    client = this.clientId,
  ): Promise<'taken' | 'full' | 'done'> {
    const [answer] = await this.rpc.request('say', { client, engine, ids: [id] }, [message]);
    return answer ? (decode(answer) as 'taken') : 'done';
  }

  settled(call: Call): void {
    if (!this.#calls.delete(call.id)) return;
    this.#lending.giveBack(call);
    this.#flow.settled(call);
    this.#echo.flush(call);
    const { verdict } = call;
    if (!verdict || this.#ended || !this.#lending.find(call.id)) return;
    // Given up here; on its engine it may run on for ever. Who waits for its value must not.
    for (const user of [...this.#calls.values()]) {
      if (!user.uses.includes(call)) continue;
      user.cancel(dependencyError(verdict)).catch(() => {}); // the link ended meanwhile: the call knows
    }
  }

  incarnationOf(engine: number): number {
    return this.news.engines.find((e) => e.id === engine)?.incarnation ?? 0;
  }

  async close(reason = 'the client has closed'): Promise<void> {
    if (this.#ended) return;
    for (const call of this.#calls.values()) call.observed = true; // who closes knows what that does to pending calls
    this.paradigms.closing();
    const closing = this.#session.close(reason);
    this.#end(new SessionLostError('This client is closed'));
    await closing;
  }

  #sendCode(hashes: Iterable<string>): void {
    const fresh = [...hashes].filter((hash) => !this.#sentCode.has(hash));
    if (!fresh.length) return;
    for (const hash of fresh) this.#sentCode.add(hash);
    const texts = fresh.map((hash) => textPayload(this.sender.code.get(hash) ?? ''));
    this.#session.send({ kind: Kind.EVENT, op: 'code', code: fresh }, texts);
  }

  #receive(header: Envelope, payloads: Payload[]): void {
    if (header.paradigm) {
      this.paradigms.receive(header, payloads);
      return;
    }
    if (this.rpc.receive(header, payloads)) return;
    if (header.kind === Kind.REPLY) {
      const call = this.#calls.get(header.id);
      for (const result of header.results) {
        if (call) call.receive(result, result.payload ? payloads[result.payload - 1] : undefined);
        else if (result.status === Status.KEPT) this.#release(header.id, [result.engine ?? 0]);
      }
    } else if (header.kind === Kind.OUTPUT) this.#told(header, payloads[0]);
    else if (header.kind === Kind.EVENT && header.op === 'changed') this.news.changed(payloads[0]!, header.label);
    else throw new ProtocolError(`The controller sent a message of kind ${header.kind}`);
  }

  #told(header: Envelope, payload: Payload | undefined): void {
    const { engine, id, stream } = header;
    if (stream <= Stream.STDERR) this.#output(header, payloadText(payload));
    const call = this.#calls.get(id);
    if (stream <= Stream.STDERR || !call || !payload) return; // or given up here
    const value = readable(payload);
    if (stream === Stream.MESSAGE) call.messages.push({ engine, value });
    else if (stream === Stream.PROGRESS || stream === Stream.LAST_PROGRESS)
      call.progressed({ engine, done: value[0], ...(value.length > 1 && { total: value[1] }) });
    else if (stream === Stream.RUNNING) call.runs(engine, value);
  }

  #output({ engine, id, stream }: Envelope, text: string): void {
    const printed: Printed = { engine, stream: stream === Stream.STDERR ? 'stderr' : 'stdout', text };
    const call = this.#calls.get(id);
    if (!call) this.news.tell({ type: 'output', ...printed });
    if (!call?.print(printed)) this.#echo.print(printed);
  }

  /** An engine needs a small result that has come here already; or a large one that was fetched, or (`remake`) is to be made again. */
  async #valueFor(header: Envelope, remake = true): Promise<{ payloads: Payload[] }> {
    const need = header.needs[0];
    const call = this.#lending.find(need?.call ?? 0);
    // The only one is meant, wherever it was made since.
    const part = call?.parts.length === 1 ? call.parts[0] : call?.parts.find((p) => p.engine === need?.engine);
    if (!call || !part || part.state === 'pending') throw new ValueLostError('The client has released the value');
    if (!remake && !call.isHere(part) && !part.fetching) throw new ValueLostError('The value was never here');
    return { payloads: [encode(await call.valueOf(part), { root: 'value' })] };
  }

  async #settledCall(id: number): Promise<Error | undefined> {
    const call = this.#calls.get(id) ?? this.#lending.find(id);
    if (!call) return undefined; // nobody holds it any more: it has been settled
    await new Promise<void>((resolve) => call.whenDone(resolve));
    return call.verdict ?? call.parts.find(({ error }) => error)?.error;
  }

  /** An engine wants to know where a result is made, which was not known when it was told of it. */
  async #placeOf({ call: id }: Need): Promise<Pick<Need, 'engine' | 'incarnation' | 'settled'> | undefined> {
    const call = this.#lending.find(id) ?? this.#calls.get(id);
    const part = call?.parts[0];
    if (!call || !part) throw new ValueLostError('The client has released the value');
    await new Promise<void>((resolve) => call.whenDone(resolve));
    if (part.error) throw part.error;
    if (call.isHere(part)) return undefined;
    return { engine: part.engine, incarnation: part.incarnation, settled: true };
  }

  #end(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    this.rpc?.fail(error);
    this.paradigms.end(error);
    for (const call of this.#calls.values()) call.fail(error);
    this.#flow.clear();
    this.news.end();
    this.#tellClosed(error);
  }
}

const NO_LUGGAGE = new Luggage(new FunctionSender(), '');

function dependencyError(cause: Error): DependencyError {
  return new DependencyError(`A pending result used as an argument failed: ${cause.message}`, { cause });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new CancelledError('Aborted by its signal', { cause: error });
}

/** What makes no sense arrives as the error that says why: it is one engine's fault, and ends nothing. */
function readable(payload: Payload): any {
  try {
    return decode(payload);
  } catch (error) {
    return error;
  }
}
