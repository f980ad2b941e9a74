/**
 * One engine in a supervisor's care. Over a connection of its own to the controller it beats, passes on what tasks tell,
 * brings them messages, and carries out orders, whatever the engine's own thread is doing.
 */
import type { MessagePort } from 'node:worker_threads';
import { UNREAD_MESSAGES } from '../conversation.ts';
import { dialSession } from '../wire/dialled-session.ts';
import { type Envelope, Kind, Stream } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { type Key, parseToken } from '../wire/handshake.ts';
import { earForController } from '../wire/pulse.ts';
import type { Session } from '../wire/session.ts';
import { killChildren } from './children.ts';
import { mainDebuggee, workerDebuggee } from './debuggee.ts';
import { Interrupter } from './interrupter.ts';
import {
  AWAKE,
  BEATING,
  CALL,
  CLIENT,
  CODING,
  DEBUGGING,
  EXITING,
  memoryIn,
  OS_THREAD,
  POSTED,
  type SharedMemory,
  TAKEN,
  TURNED,
} from './memory.ts';
import type { Certificates, FromEngine, ToEngine, WardBoot } from './messages.ts';
import { Outlet } from './outlet.ts';
import { Pauses } from './pauses.ts';
import { answerTo } from './requests.ts';
import { Watch } from './watch.ts';

/** ms that the supervisor looks for a controller that has gone; it tries again as long as the engine is joined. */
const WINDOW = 60_000;
const REDIAL = 500;
/** Beats that an event loop does not turn by itself. */
const UNUSUAL = 2;

/** Of ES2024; every Node that we run on has it. */
const { waitAsync } = Atomics as unknown as {
  waitAsync(ints: Int32Array, index: number, value: number): { async: boolean; value: unknown };
};

type Joined = Extract<FromEngine, { type: 'joined' }>;

export class Ward {
  #boot: WardBoot;
  #port: MessagePort;
  #memory: SharedMemory;
  #session: Session | undefined;
  #joined: Joined | undefined;
  #token = '';
  #tls: Certificates;
  #outlet: Outlet;
  #interrupter: Interrupter;
  #pauses: Pauses;
  #beating: NodeJS.Timeout | undefined;
  #watch: Watch;
  #hear = (): void => {};
  #ended = false;

  constructor(boot: WardBoot, port: MessagePort) {
    this.#boot = boot;
    this.#port = port;
    this.#tls = boot.tls;
    this.#memory = memoryIn(boot.memory);
    const { ints } = this.#memory;
    const { thread } = boot;
    const leave = (): void => {
      Atomics.store(ints, DEBUGGING, 0);
      Atomics.notify(ints, DEBUGGING);
    };
    this.#pauses = new Pauses(() => (thread === undefined ? mainDebuggee() : workerDebuggee(thread)), {
      // It says that it is here before it asks whether it may be; who exits does the two in the other order.
      enter: () => {
        Atomics.store(ints, DEBUGGING, 1);
        if (!Atomics.load(ints, EXITING)) return true;
        leave();
        return false;
      },
      leave,
      closed: () => Atomics.load(ints, CODING) === 1,
    });
    this.#interrupter = new Interrupter({
      pauses: this.#pauses,
      post: (message) => this.#post(message),
      runs: ({ client, call }) => call !== 0 && Atomics.load(ints, CALL) >>> 0 === call && ints[CLIENT] === client,
      killChildren: async () => {
        const own = ints[OS_THREAD]!;
        if (thread === undefined) await killChildren();
        else if (own) await killChildren(own);
      },
    });
    this.#watch = new Watch(this.#memory, (client, call, since) => this.#tellRunning(client, call, since));
    this.#outlet = new Outlet(this.#memory, () => this.#session);
    port.on('message', (message: FromEngine) => this.#receive(message));
    port.on('close', () => this.end());
    void this.#listen();
  }

  /** The engine's thread has ended. */
  end(): void {
    this.#ended = true;
    this.#leave('the engine has ended');
    this.#pauses.close();
    this.#wake();
  }

  #receive(message: FromEngine): void {
    if (message.type === 'joined') {
      this.#leave('the engine has joined anew');
      this.#joined = message;
      this.#token = message.token;
      void this.#dial(message);
    } else if (message.type === 'left') this.#leave('the engine has left');
    else if (message.type === 'rekeyed') this.#token = message.token;
    else if (message.type === 'certified') this.#tls = message.tls;
    else this.#interrupter.receive(message);
  }

  #leave(reason: string): void {
    this.#joined = undefined;
    this.#rest();
    void this.#session?.close(reason);
    this.#session = undefined;
  }

  #rest(): void {
    clearInterval(this.#beating);
    Atomics.store(this.#memory.ints, BEATING, 0);
    this.#watch.stop();
  }

  async #dial(joined: Joined): Promise<void> {
    const { engine, incarnation, beat } = joined;
    const currentKey = (): Key => parseToken(this.#token);
    const currentTls = (): Certificates => this.#tls;
    const again = (): void => {
      if (this.#joined !== joined) return;
      this.#session = undefined;
      this.#rest();
      setTimeout(() => this.#joined === joined && void this.#dial(joined), REDIAL);
    };
    try {
      await dialSession({
        urls: this.#boot.urls,
        role: 'supervisor',
        get key() {
          return currentKey();
        },
        window: WINDOW,
        get tls() {
          return currentTls();
        },
        about: () => ({ engine, incarnation, told: this.#outlet.end }),
        handlers: {
          opened: (session) => {
            if (this.#joined !== joined) return session.abandon('superseded');
            this.#session = session;
            this.#hear = earForController(session, beat);
            this.#outlet.start();
            this.#beating = setInterval(() => this.#beat(beat), beat);
            this.#watch.start(beat);
            this.#wake();
          },
          message: (header, payloads) => this.#asked(header, payloads),
          drained: () => this.#wake(),
          ended: again,
        },
      });
    } catch {
      again();
    }
  }

  /** lag: ms since the engine's event loop has turned, as far as that is more than usual. */
  #beat(interval: number): void {
    const silent = Date.now() - this.#memory.numbers[TURNED]!;
    // The engine notes once in an interval that its event loop turns, and then tells its memory itself.
    const usual = silent < UNUSUAL * interval;
    if (!usual) void this.#interrupter.tidy();
    this.#session?.beat({ lag: Math.max(0, silent - interval), rss: usual ? 0 : process.memoryUsage.rss() });
    Atomics.store(this.#memory.ints, BEATING, this.#session?.connected ? 1 : 0);
    this.#hear();
    this.#watch.beat();
  }

  #tellRunning(client: number, id: number, since: number): void {
    const payload: Payload = { codec: 'json', parts: [Buffer.from(String(since))] };
    this.#session?.send({ kind: Kind.OUTPUT, client, id, stream: Stream.RUNNING }, [payload]);
  }

  #asked(header: Envelope, payloads: Payload[]): void {
    if (header.kind === Kind.EVENT && header.op === 'read') {
      this.#outlet.read(header.id);
      this.#wake();
    } else if (header.kind === Kind.REQUEST)
      answerTo(this.#session!, header, payloads, {
        order: (order) => this.#interrupter.carryOut(order),
        peek: (order) => this.#interrupter.peek(order),
        say: async () => ({ value: this.#say(header, payloads[1]!) }),
      });
  }

  /** A message for a task. `full`: the engine has many that its tasks do not read. */
  #say({ client, ids }: Envelope, { codec, parts }: Payload): 'taken' | 'full' {
    const { ints } = this.#memory;
    if (((Atomics.load(ints, POSTED) - Atomics.load(ints, TAKEN)) | 0) >= UNREAD_MESSAGES) return 'full';
    this.#post({ type: 'message', client, call: ids[0] ?? 0, codec, parts });
    Atomics.add(ints, POSTED, 1); // after it is there: whoever sees this number finds it
    return 'taken';
  }

  #post(message: ToEngine): void {
    this.#port.postMessage(message);
  }

  #wake(): void {
    Atomics.store(this.#memory.ints, AWAKE, 1);
    Atomics.notify(this.#memory.ints, AWAKE);
  }

  /** Sleeps until the engine has something to tell. */
  async #listen(): Promise<void> {
    const { ints } = this.#memory;
    while (!this.#ended) {
      Atomics.store(ints, AWAKE, 0);
      if (Atomics.load(ints, EXITING)) void this.#pauses.letGo();
      this.#watch.woken();
      const more = this.#outlet.pump();
      const woken = more ? undefined : waitAsync(ints, AWAKE, 0);
      if (woken?.async) await woken.value;
      else await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
