/**
 * Runs ops on an engine, fused: each record goes through all of them at once. Functions of this file travel with the job, so they know
 * nothing but each other. What they return is a promise only if a function of the user returned one.
 */
import type { Op, Out } from './ops.ts';

type Later = void | Promise<void>;
type Push = (record: any) => Later;

interface Sink {
  readonly push: Push;
  /** There are no more. */
  end(): Later;
}

interface Context {
  emit(key: unknown, value: unknown): void;
  state: any;
  readonly task: { readonly id: number };
}

/** Functions of a job step that do the ops with all that is emitted before, or read. */
export function stepFunctions(ops: readonly Op[], out: Out) {
  return {
    setup: () => ({ sink: undefined }),
    map: mapperOf(ops, out),
    teardown: (ctx: Context) => ctx.state?.sink?.end(),
  };
}

/** Of one input of several that share a step. */
export function mapperOf(ops: readonly Op[], out: Out) {
  return (record: unknown, ctx: Context): Later => {
    ctx.state.sink ??= pipeline(ops, out, ctx);
    return ctx.state.sink.push(record);
  };
}

function pipeline(ops: readonly Op[], out: Out, ctx: Context): Sink {
  let sink: Sink = { push: emitter(out, ctx), end: () => undefined };
  for (const op of [...ops].reverse()) sink = sinkOf(op, sink, ctx);
  return sink;
}

function emitter(out: Out, { emit, task }: Context): Push {
  switch (out.kind) {
    case 'record':
      return (record) => emit(undefined, record);
    case 'pair':
      return (pair) => {
        checkPair(pair, out.what);
        emit(pair[0], pair[1]);
      };
    case 'side':
      return (pair) => {
        checkPair(pair, out.what);
        emit(pair[0], [out.side, pair[1]]);
      };
    case 'by':
      return (record) => {
        const key = out.f(record);
        if (!isPromise(key)) return emit(key, record);
        return key.then((it) => emit(it, record));
      };
    case 'key':
      return (record) => emit(record, null);
    case 'partition':
      return (record) => emit(task.id, record);
    case 'turns': {
      let turn = task.id;
      return (record) => emit(turn++ % out.n, record);
    }
  }
}

function checkPair(pair: unknown, what: string): void {
  if (Array.isArray(pair) && pair.length === 2) return;
  throw new TypeError(
    `${what} takes records that are [key, value]; got ${JSON.stringify(pair)?.slice(0, 80)}. Use keyBy, or map to such pairs`,
  );
}

function sinkOf(op: Op, next: Sink, ctx: Context): Sink {
  const { push } = next;
  const end = () => next.end();
  switch (op.kind) {
    case 'map':
      return {
        push(record) {
          const made = op.f(record);
          return isPromise(made) ? made.then(push) : push(made);
        },
        end,
      };
    case 'flatMap':
      return { push: (record) => pushAll(op.f(record), push), end };
    case 'filter':
      return {
        push(record) {
          const kept = op.f(record);
          if (isPromise(kept)) return kept.then((yes) => (yes ? push(record) : undefined));
          return kept ? push(record) : undefined;
        },
        end,
      };
    case 'sample': {
      const random = randomNumbers(op.seed, ctx.task.id);
      return { push: (record) => (random() < op.fraction ? push(record) : undefined), end };
    }
    case 'take': {
      let left = op.n;
      return { push: (record) => (left-- > 0 ? push(record) : undefined), end };
    }
    case 'number': {
      let number = op.first[ctx.task.id] ?? 0;
      return { push: (record) => push([record, number++]), end };
    }
    case 'accumulate': {
      let sum = op.before[ctx.task.id];
      const accumulated = (record: unknown): unknown => {
        sum = [sum ? op.f(sum[0], record) : record];
        return sum[0];
      };
      return { push: (record) => push(accumulated(record)), end };
    }
    case 'top':
      return topSink(op.n, op.compare, next);
    case 'fold':
      return foldSink(op.zero, op.add, next);
    case 'partitions':
      return partitionSink(op.f, next);
  }
}

function isPromise(value: unknown): value is Promise<any> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** Of whatever can be iterated over. */
function pushAll(records: any, push: Push): Later {
  if (isPromise(records)) return records.then((come) => pushAll(come, push));
  const iterator = records?.[Symbol.iterator]?.() as Iterator<unknown> | undefined;
  if (!iterator) return pushAllAsync(records, push);
  for (let step = iterator.next(); !step.done; step = iterator.next()) {
    const later = push(step.value);
    if (later) return pushRest(iterator, later, push);
  }
  return undefined;
}

async function pushRest(iterator: Iterator<unknown>, later: Promise<void>, push: Push): Promise<void> {
  await later;
  for (let step = iterator.next(); !step.done; step = iterator.next()) await push(step.value);
}

async function pushAllAsync(records: any, push: Push): Promise<void> {
  if (typeof records?.[Symbol.asyncIterator] !== 'function')
    throw new TypeError(
      `flatMap and mapPartitions return something iterable; got ${records === null ? 'null' : typeof records}`,
    );
  for await (const record of records) await push(record);
}

function topSink(n: number, compare: (a: any, b: any) => number, next: Sink): Sink {
  const best: unknown[] = [];
  const cut = (): void => {
    best.sort(compare);
    if (best.length > n) best.length = n;
  };
  return {
    push(record) {
      best.push(record);
      if (best.length >= 2 * n + 16) cut();
    },
    async end() {
      cut();
      await pushAll(best, next.push);
      await next.end();
    },
  };
}

function foldSink(zero: () => unknown, add: (sum: any, record: any) => unknown, next: Sink): Sink {
  let sum: unknown = zero();
  return {
    push(record) {
      sum = add(sum, record);
      if (isPromise(sum)) return sum.then((it) => void (sum = it));
      return undefined;
    },
    async end() {
      await next.push(sum);
      await next.end();
    },
  };
}

/** Records that wait for the user's function to take them. */
const WAITING = 256;

/** Turns records that are pushed into an iterable from which the function pulls. */
function partitionSink(f: (records: AsyncIterable<any>) => unknown, next: Sink): Sink {
  let waiting: unknown[] = [];
  let ended = false;
  let over = false;
  let came: (() => void) | undefined;
  let taken: (() => void) | undefined;
  const records = (async function* () {
    for (;;) {
      const batch = waiting;
      waiting = [];
      yield* batch;
      taken?.();
      if (waiting.length > 0) continue;
      if (ended) return;
      await new Promise<void>((resolve) => (came = resolve));
    }
  })();
  const running = (async () => {
    try {
      await pushAll(f(records), next.push);
    } finally {
      // It may have had enough.
      over = true;
      taken?.();
    }
  })();
  running.catch(() => undefined);
  return {
    push(record) {
      if (over) return running;
      waiting.push(record);
      if (waiting.length < WAITING) return undefined;
      came?.();
      return new Promise<void>((resolve) => (taken = resolve)).then(() => (over ? running : undefined));
    },
    async end() {
      ended = true;
      came?.();
      await running;
      await next.end();
    },
  };
}

/** From 0 to 1, the same for the same seed and partition (SplitMix32). */
function randomNumbers(seed: number, partition: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(partition + 1, 0x85ebca6b)) | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let bits = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32;
  };
}
