/**
 * The engine: takes calls from the controller, gathers what they need, runs them through the door, and replies. Its own
 * work is done in callbacks; no promise of its own lies between a call's arrival and its reply.
 */
import { writeSync } from 'node:fs';
import { hostname } from 'node:os';
// Registers the class: lists of pending results are put together here.
import '../assembly.ts';
import { callKey } from '../call-key.ts';
import type { Client } from '../client/client.ts';
import { CancelledError, RefusedError, ValueLostError } from '../errors.ts';
import { FunctionStore } from '../functions/store.ts';
import type { EngineBoot } from '../launch/launcher.ts';
import type { CallId, Outcome, Work } from '../paradigm/paradigm.ts';
import { Parcel } from '../paradigm/parcel.ts';
import { type Certificates, certificatesOf, type Order, type ToEngine } from '../supervisor/messages.ts';
import { dialSession } from '../wire/dialled-session.ts';
import { type Envelope, Kind, Status } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { type Key, parseToken, REVOKED } from '../wire/handshake.ts';
import { earForController } from '../wire/pulse.ts';
import { answering, Rpc } from '../wire/rpc.ts';
import type { Session } from '../wire/session.ts';
import { type Desk, openDesk, type Supervised } from './desk.ts';
import { type Door, openDoor } from './door.ts';
import { createEvaluator } from './evaluator.ts';
import { Habits } from './habits.ts';
import { Job, type OwnWork, type Talk } from './job.ts';
import { Mail } from './mail.ts';
import { createNamespace } from './namespace.ts';
import { NestedClient } from './nested-client.ts';
import { callsOf, type Workshop } from './operations.ts';
import { Orders } from './orders.ts';
import { outcomeOf } from './outcome.ts';
import { Paradigms } from './paradigms.ts';
import { reportRejoined, reportUncaught } from './reports.ts';
import { Rest } from './rest.ts';
import { encodeShown } from './shown.ts';
import { Supplies } from './supplies.ts';
import { exposeSurface, ScriptExit } from './surface.ts';
import { Turns } from './turns.ts';
import { cutStack, keepDeepStacks } from './user-stack.ts';
import { Vitals } from './vitals.ts';

/** Results above this stay here until somebody wants them. Bytes. */
const KEEP_ABOVE = 64 << 10;
/** How long an engine looks for a controller that has gone, in ms. */
const REJOIN = 60_000;

const NOTHING: never[] = [];
const EMPTY = new Parcel({ codec: 'msgpack', parts: [] });
/** What is no call of a view. */
const OUTSIDE = { codec: 'msgpack', failure: undefined, op: 'own' } as const;

export class Engine {
  #boot: EngineBoot;
  #key: Key;
  #tls: Certificates;
  #self: ReturnType<typeof exposeSurface>;
  #incarnation = 0;
  #nextOwn = 0;
  #session: Session | undefined;
  #rpc: Rpc | undefined;
  #supplies: Supplies;
  #paradigms: Paradigms;
  #turns: Turns;
  #shop: Workshop;
  #desk: Desk;
  #talk: Talk;
  #nested = new NestedClient(() => this.#rpc);
  #door: Door;
  #orders: Orders;
  #mail: Mail;
  #habits = new Habits();
  /** The last call of each client that has arrived. */
  #arrived = new Map<number, number>();
  #exit: (code: number) => void;
  #vitals: Vitals;
  #rest: Rest;
  #interval = 0;
  #listen = (): void => {};
  #beat: NodeJS.Timeout | undefined;

  /**
   * Takes this thread over: its streams, its globals, its uncaught errors. `exit` ends it. Without a supervisor, tasks in a
   * loop can neither talk nor be stopped.
   */
  constructor(boot: EngineBoot, exit: (code: number) => void, supervised?: Supervised) {
    this.#boot = boot;
    this.#key = parseToken(boot.token);
    this.#tls = certificatesOf(boot);
    this.#exit = exit;
    keepDeepStacks();
    this.#self = exposeSurface();
    const evaluator = createEvaluator(boot.cwd);
    this.#door = openDoor(supervised !== undefined, {
      take: (order) => this.#orders.take(JSON.parse(order)),
      leftover: () => this.#orders.leftover,
      unwinding: () => this.#orders.unwinding(),
      show: (id, value) => this.#show(id, value),
    });
    const namespace = createNamespace();
    this.#self.namespace = namespace.view;
    this.#shop = { namespace, evaluator, functions: new FunctionStore({ dir: boot.cwd }) };
    this.#desk = openDesk(supervised, {
      receive: (message) => this.#instructed(message),
      tell: (job, stream, payload) => {
        const { client = 0, call = 0 } = job ?? {};
        this.#session?.send({ kind: Kind.OUTPUT, client, id: call, stream }, [payload]);
      },
    });
    const { progress, send, poll, read } = this.#desk;
    this.#talk = { progress, send, poll, read, client: (job) => this.#clientFor(job) };
    this.#turns = new Turns(this.#door, {
      callOf: callsOf(this.#shop, this.#desk, (payload, fetched) => this.#supplies.decode(payload, fetched)),
      finish: (...outcome) => this.#finish(...outcome),
    });
    this.#orders = new Orders({
      turns: this.#turns,
      arrived: (client) => this.#arrived.get(client) ?? 0,
      answer: (message) => this.#desk.post(message),
    });
    this.#supplies = new Supplies({
      engine: () => this.#self.id,
      incarnation: () => this.#incarnation,
      rpc: () => this.#rpc,
      functions: this.#shop.functions,
      lookUp: (expression) => namespace.get(expression),
      exchange: (session, engine) => this.#paradigms.exchangeOver(session, () => ({ role: 'engine', id: engine })),
      channelLost: (engine, reason) => this.#paradigms.lost({ type: 'channel', engine, reason }),
    });
    this.#mail = new Mail({
      find: (key) => this.#turns.find(key),
      arrived: (client) => this.#arrived.get(client) ?? 0,
      ended: (key) => this.#supplies.values.find(key) !== undefined,
      decode: (payload) => this.#supplies.decode(payload, []),
      read: (count) => this.#desk.read(count),
      unreadable: (error) => this.#uncaught('A message for a task cannot be read:', error),
    });
    this.#paradigms = new Paradigms({
      engine: () => this.#self.id,
      directory: boot.cwd,
      supplies: this.#supplies,
      provide: (name, value) => namespace.provide(name, value),
      hold: () => this.#turns.hold(),
      start: (...works) => this.#start(...works),
      abort: ({ client, call }, reason) => this.#turns.find(callKey(client, call))?.abort(reason),
      settle: (...outcome) => this.#settle(...outcome),
      codeParcel: (value) => this.#nested.parcel(value),
      log: (message, error) => this.#uncaught(`${message}:`, error),
    });
    this.#vitals = new Vitals({
      queued: () => this.#turns.queued,
      kept: () => this.#supplies.values.keptBytes,
      peers: () => this.#supplies.peers.traffic,
    });
    this.#rest = new Rest((done) => this.#door.collect(done));
    process.on('uncaughtException', (error) => this.#uncaught('Uncaught', error));
    process.on('unhandledRejection', (error) => this.#uncaught('Unhandled rejection:', error));
  }

  /** Resolves when the engine has joined. */
  async join(): Promise<void> {
    const boot = this.#boot;
    const currentKey = (): Key => this.#key;
    const currentTls = (): Certificates => this.#tls;
    await dialSession({
      urls: boot.urls,
      role: 'engine',
      get key() {
        return currentKey();
      },
      window: REJOIN,
      get tls() {
        return currentTls();
      },
      about: () => ({
        host: hostname(),
        pid: process.pid,
        kind: boot.kind,
        cwd: boot.cwd,
        node: process.version,
        supervised: boot.supervised,
        clock: Date.now(),
      }),
      handlers: {
        opened: (session, about) => this.#joined(session, about),
        message: (header, payloads) => this.#receive(header, payloads),
        ended: (reason) => void this.#rejoin(reason),
      },
    });
    this.#tellLife();
  }

  #joined(session: Session, about: { engine: number; incarnation: number; token: string; beat: number }): void {
    this.#session = session;
    this.#rpc = new Rpc((header, payloads, owned) => session.send(header, payloads, owned), {
      ...this.#supplies.requests,
      order: answering((order: Order) => this.#plainOrder(order)),
      rekey: answering((token: string) => {
        this.#key = parseToken(token);
        this.#desk.post({ type: 'rekeyed', token });
      }),
      trust: answering((tls: Certificates) => this.#trust(tls)),
    });
    this.#paradigms.joined(session);
    this.#key = parseToken(about.token);
    this.#self.id = about.engine;
    this.#incarnation = about.incarnation;
    clearTimeout(this.#beat);
    // Engines that join together would beat together for ever: each begins somewhere within its first interval.
    this.#beat = setTimeout(() => {
      this.#tellLife();
      this.#beat = setInterval(() => this.#tellLife(), about.beat);
    }, about.beat * Math.random());
    this.#interval = about.beat;
    this.#listen = earForController(session, about.beat);
    this.#desk.turn();
    const { engine, incarnation, token, beat } = about;
    this.#desk.post({ type: 'joined', engine, incarnation, token, beat });
  }

  /** The cluster's authority is another one. @param tls what takes this engine through TLS, where it comes that way */
  async #trust(tls: Certificates): Promise<void> {
    if (tls.ca !== undefined) {
      this.#tls = certificatesOf(tls);
      this.#nested.certified(this.#tls);
      this.#desk.post({ type: 'certified', tls: this.#tls });
    }
    await this.#supplies.peers.renew();
  }

  /** At each beat. */
  #tellLife(): void {
    const isTold = this.#desk.turn();
    this.#listen();
    const beats = this.#vitals.due(isTold ? this.#self.size : 1);
    if (!beats) return;
    this.#session?.beat(this.#vitals.read(beats * this.#interval));
    this.#rest.look(this.#vitals, this.#turns.inFlight.length > 0, this.#interval);
  }

  /** The session is gone, and with it all calls: joins anew, as another incarnation, or ends. */
  async #rejoin(reason: string): Promise<void> {
    const lost = new ValueLostError(`The engine lost its controller: ${reason}`);
    this.#rpc?.fail(lost);
    this.#desk.post({ type: 'left' });
    this.#arrived.clear();
    this.#mail.drop();
    this.#nested.drop();
    this.#supplies.peers.leave(lost.message);
    this.#paradigms.lostController(reason);
    this.#turns.drop(() => true, lost);
    this.#turns.abandon(lost);
    const cut = performance.now();
    const deadline = cut + REJOIN;
    while (performance.now() < deadline) {
      try {
        await this.join();
        return reportRejoined(this.#session, reason, performance.now() - cut);
      } catch (error) {
        if (error instanceof RefusedError) {
          // A controller that has taken over knows what it lets strangers in with, and not what its predecessor gave us.
          const own = parseToken(this.#boot.token);
          if (reason !== REVOKED && this.#key.id !== own.id) {
            this.#key = own;
            continue;
          }
          writeSync(process.stderr.fd, `This engine ends: ${error.message}\n`);
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
    this.#exit(1);
  }

  #receive(header: Envelope, payloads: Payload[]): void {
    if (header.paradigm) {
      this.#paradigms.receive(header, payloads);
      return;
    }
    if (this.#rpc?.receive(header, payloads)) return;
    if (header.kind === Kind.CALL) this.#call(header, payloads);
    else if (header.kind === Kind.RELEASE)
      for (const id of header.ids) this.#supplies.values.release(callKey(header.client, id));
    else if (header.kind === Kind.EVENT && header.op === 'size') this.#self.size = header.id;
    else if (header.kind === Kind.EVENT && header.op === 'client-left') this.#clientLeft(header.client);
    else if (header.kind === Kind.EVENT && header.op === 'engine-lost') this.#engineLost(header.engine, header.id);
    else if (header.kind === Kind.EVENT && header.op === 'exit') this.#exit(0);
  }

  #call(header: Envelope, payloads: Payload[]): void {
    const { client, id: call, op, code } = header;
    const { needs } = header;
    const job = new Job({ key: callKey(client, call), client, call, op, needs, code }, payloads, this.#talk);
    job.failure = this.#orders.withdrawn(job.key);
    job.habit = this.#habits.of(job);
    this.#arrived.set(client, call);
    this.#mail.arrived(job);
    this.#supplies.values.arrived(job.key, client, call);
    if (needs.length || code.length) this.#supplies.gather(job, () => this.#turns.pumpSoon());
    this.#turns.push(job);
    // Withdrawn before it came: whoever did that waits for the reply, not for the task that has its turn.
    if (job.failure !== undefined) this.#turns.settle(job, false, job.failure);
  }

  #finish(job: Job, ok: boolean, value: unknown): void {
    this.#desk.runs(this.#turns.running);
    this.#desk.flush(job);
    this.#orders.settled(job);
    job.end();
    if (!ok && job.doomed) {
      if (value !== job.doomed) job.doomed.cause = value; // what it has ended with, told to end
      job.failure = value = job.doomed;
    }
    if (job.code.length) this.#shop.functions.done(job.code);
    this.#vitals.calls++;
    if (!ok) cutStack(value);
    if (job.own) {
      if (job.told) job.own.told?.(job.told);
      job.own.done(ok, value);
      return;
    }
    const { payload, bytes, status } = this.#desk.coding(() => outcomeOf(job, ok, value));
    const keep = status === Status.OK && bytes > KEEP_ABOVE;
    this.#supplies.values.settled(job.key, { ok: status === Status.OK, payload, bytes }, keep);
    const result = {
      engine: this.#self.id,
      incarnation: this.#incarnation,
      status: keep ? Status.KEPT : status,
      started: job.started,
      completed: Date.now(),
      bytes,
      told: job.told,
    };
    const header = { kind: Kind.REPLY, client: job.client, id: job.call, results: [result] };
    this.#session?.send(header, keep ? [] : [payload]);
  }

  /** Of the supervisor, when the event loop turns. */
  #instructed(message: ToEngine): void {
    if (message.type === 'order') this.#orders.receive(message.order);
    else if (message.type === 'unwound') {
      this.#door.repair();
      this.#orders.unwound(message.order);
    } else this.#mail.receive(message);
  }

  /** Where there is no supervisor, by way of the controller. A task in a loop gets it when the loop ends. */
  #plainOrder(order: Order): Promise<string> {
    return new Promise((resolve) => this.#orders.receive(order, resolve));
  }

  #show(id: number, value: unknown): void {
    const { codec, parts } = encodeShown(value, 'msgpack');
    this.#desk.post({ type: 'shown', id, codec, parts });
  }

  #engineLost(engine: number, incarnation: number): void {
    this.#supplies.peers.drop(engine, incarnation, `engine ${engine} was lost`);
    this.#paradigms.lost({ type: 'engine', engine });
  }

  #clientLeft(client: number): void {
    this.#turns.drop((job) => job.client === client && !job.own?.detached, new CancelledError('Its client has left'));
    this.#supplies.values.clientLeft(client);
    this.#arrived.delete(client);
    this.#mail.drop(client);
    this.#paradigms.lost({ type: 'client', client });
  }

  /** For a paradigm: each takes its turn, like a call. */
  #start(works: readonly Work[], onMicrotask: boolean, ms?: number): void {
    const jobs: Job[] = [];
    for (const work of works) {
      if (work.signal?.aborted) {
        work.done(false, work.signal.reason);
        continue;
      }
      const job = this.#jobFor(work);
      job.habit = work.habit;
      jobs.push(job);
    }
    for (const job of jobs) this.#mail.arrived(job);
    this.#turns.pushAll(jobs, onMicrotask, ms);
  }

  #jobFor(work: Work): Job {
    const { client = 0, call = 0, signal } = work;
    // Of work without a name, negative ones: no call has such a key.
    const key = call ? callKey(client, call) : --this.#nextOwn;
    const head = { key, client, call, op: 'own', needs: NOTHING, code: NOTHING };
    if (!signal) return new Job(head, NOTHING, this.#talk, work);
    const { attempt = 1, beside = false, detached = false } = work;
    const own: OwnWork = {
      code: () => work.code(),
      done(ok, value) {
        signal.removeEventListener('abort', abort);
        work.done(ok, value);
      },
      yielded: () => work.yielded?.(),
      told: (end) => work.told?.(end),
      attempt,
      beside,
      detached,
    };
    const job: Job = new Job(head, NOTHING, this.#talk, own);
    const abort = (): void => {
      if (job.state === 'running') job.abort(signal.reason);
      else this.#turns.settle(job, false, (job.failure = signal.reason));
    };
    signal.addEventListener('abort', abort, { once: true });
    return job;
  }

  /** For a paradigm: the outcome of a result of a client, which others may ask for. */
  #settle({ client, call }: CallId, ok: boolean, value: unknown, stay: boolean): Outcome {
    const { payload, bytes, status } = outcomeOf(OUTSIDE, ok, value);
    const made = status === Status.OK;
    const kept = stay && made && bytes > KEEP_ABOVE;
    this.#supplies.values.settled(callKey(client, call), { ok: made, payload, bytes }, kept);
    return { ok: made, kept, parcel: kept ? EMPTY : new Parcel(payload), bytes };
  }

  /** What the task waits for may have to run here: it gives up its turn. */
  #clientFor(job: Job): Promise<Client> {
    this.#turns.yield(job);
    return this.#nested.get();
  }

  /** Errors that user code let fall are printed, like in any console; they do not end the engine. */
  #uncaught(what: string, error: unknown): void {
    if (error instanceof ScriptExit) {
      this.#turns.endScript({ exitCode: error.exitCode, exports: {} });
      return;
    }
    cutStack(error);
    process.stderr.write(`${what} ${error instanceof Error ? error.stack : String(error)}\n`);
    reportUncaught(this.#session, what, error);
  }
}
