/**
 * Where an engine says what its tasks print, send and report, and where messages for them come in. Supervised, all of it goes
 * through memory shared with the supervisor, so it works in the middle of a loop; else over the engine's own session.
 */
import { readlinkSync } from 'node:fs';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { letGo } from '../supervisor/let-go.ts';
import {
  AWAKE,
  BEATING,
  BEGUN,
  CALL,
  CLIENT,
  CODING,
  DONE,
  DOZING,
  memoryIn,
  OF_CALL,
  OF_CLIENT,
  OS_THREAD,
  POSTED,
  PROGRESS,
  type SharedMemory,
  SINCE,
  TAKEN,
  TOTAL,
  TURNED,
} from '../supervisor/memory.ts';
import type { FromEngine, ToEngine } from '../supervisor/messages.ts';
import { RingWriter } from '../supervisor/ring-writer.ts';
import { encode } from '../wire/codec.ts';
import { Stream } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import type { Job, Talk } from './job.ts';
import { captureOutput, gathered, type Print } from './output.ts';

export interface Desk extends Omit<Talk, 'client'> {
  /** The job that runs now; undefined: none. */
  runs(job: Job | undefined): void;
  /** Before a job's reply: what it has told leaves first. */
  flush(job: Job): void;
  /** Decodes or encodes, where this thread had better not be paused. */
  coding<T>(work: () => T): T;
  /** The event loop turns. True: the supervisor tells that the engine lives. */
  turn(): boolean;
  /** To the supervisor, if there is one. */
  post(message: FromEngine, transfer?: ArrayBuffer[]): void;
}

export interface DeskHome {
  receive(message: ToEngine): void;
  /** Without a supervisor: to the controller. */
  tell(job: Job | undefined, stream: number, payload: Payload): void;
}

/** How an engine is connected to its supervisor. */
export interface Supervised {
  port: MessagePort;
  memory: SharedArrayBuffer;
}

export function openDesk(supervised: Supervised | undefined, home: DeskHome): Desk {
  return supervised ? supervisedDesk(supervised, home) : plainDesk(home);
}

function plainDesk(home: DeskHome): Desk {
  const { print, flush } = gathered((job, stream, text) => home.tell(job, stream, text));
  captureOutput(print);
  return {
    progress: (job, done, total) => home.tell(job, Stream.PROGRESS, progressPayload(done, total)),
    send: (job, message) => home.tell(job, Stream.MESSAGE, encode(message, { root: 'message' })),
    poll() {},
    read() {},
    runs() {},
    flush,
    coding: (work) => work(),
    turn: () => false,
    post() {},
  };
}

function supervisedDesk({ port, memory }: Supervised, home: DeskHome): Desk {
  const shared = memoryIn(memory);
  const { ints, numbers } = shared;
  const ring = new RingWriter(shared);
  let taken = 0;
  const late: ToEngine[] = [];
  const receive = (message: ToEngine, inLoop: boolean): void => {
    if (message.type === 'message') taken++;
    else if (inLoop) {
      // For the event loop, where no user code is on the stack.
      if (late.push(message) === 1) setImmediate(() => late.splice(0).forEach(home.receive));
      return;
    }
    home.receive(message);
  };
  ints[OS_THREAD] = osThread();
  port.on('message', (message: ToEngine) => receive(message, false));
  port.unref();
  process.on('exit', () => letGo(shared));
  const print: Print = (job, stream, text) => {
    ring.text(stream, job?.client ?? 0, job?.call ?? 0, text);
    if (job && text) job.told = ring.end;
  };
  captureOutput(print);
  return {
    progress(job, done, total = Number.NaN) {
      const { client, call } = job;
      if (job.progress) Object.assign(job.progress, { done, total });
      else job.progress = { done, total };
      // The place is for one: what the supervisor has not read of another task's goes the long way.
      if ((numbers[OF_CLIENT] !== client || numbers[OF_CALL] !== call) && ints[PROGRESS]) pass(ring, shared);
      numbers[DONE] = done;
      numbers[TOTAL] = total;
      numbers[OF_CLIENT] = client;
      numbers[OF_CALL] = call;
      if (Atomics.exchange(ints, PROGRESS, 1) === 0) wake(ints);
    },
    send(job, message) {
      const { parts } = encode(message, { root: 'message' });
      ring.parts(Stream.MESSAGE, job.client, job.call, parts);
      job.told = ring.end;
    },
    poll() {
      if (Atomics.load(ints, POSTED) === taken) return;
      for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) receive(next.message, true);
    },
    read: (count) => void (count && Atomics.add(ints, TAKEN, count)),
    runs(job) {
      ints[CLIENT] = job?.client ?? 0;
      numbers[SINCE] = job ? job.started : 0;
      Atomics.store(ints, CALL, job?.call ?? 0);
      if (!job) return;
      Atomics.add(ints, BEGUN, 1);
      if (Atomics.load(ints, DOZING) && Atomics.exchange(ints, DOZING, 0)) wake(ints);
    },
    flush(job) {
      const { progress, client, call } = job;
      if (!progress) return;
      const { parts } = progressPayload(progress.done, progress.total);
      ring.parts(Stream.LAST_PROGRESS, client, call, parts);
      job.told = ring.end;
    },
    coding(work) {
      ints[CODING] = 1;
      try {
        return work();
      } finally {
        ints[CODING] = 0;
      }
    },
    turn() {
      numbers[TURNED] = Date.now();
      return Atomics.load(ints, BEATING) === 1;
    },
    post: (message, transfer) => port.postMessage(message, transfer),
  };
}

/** The supervisor, if it sleeps. */
function wake(ints: Int32Array): void {
  if (Atomics.exchange(ints, AWAKE, 1) === 0) Atomics.notify(ints, AWAKE);
}

/** Progress that would be overwritten. */
function pass(ring: RingWriter, { numbers, ints }: SharedMemory): void {
  const { parts } = progressPayload(numbers[DONE]!, numbers[TOTAL]!);
  Atomics.store(ints, PROGRESS, 0);
  ring.parts(Stream.PROGRESS, numbers[OF_CLIENT]!, numbers[OF_CALL]!, parts);
}

/** JSON: the supervisor knows no other codec. */
function progressPayload(done: number, total: number | undefined): Payload {
  const progress = total === undefined || Number.isNaN(total) ? [done] : [done, total];
  return { codec: 'json', parts: [Buffer.from(JSON.stringify(progress))] };
}

/** 0 where it is not known. */
function osThread(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    return 0;
  }
}
