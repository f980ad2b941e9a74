/** Deferred's figures, beside those of native promises; part of `npm run bench -- core`, or alone: `-- deferred`. */
import { Deferred } from 'tutti';
import { below, type Latency, latency, ms, report } from './measure.ts';

const LINKS = 100_000;
const BATCH = 1_000;

export async function deferred(): Promise<void> {
  await callbacks();
  await chain();
}

/** Each Deferred waits for the next one, with a callback of its own; the last one fires. */
async function chain(): Promise<void> {
  let more = 0;
  const l = await latency(20, () => {
    let ran = 0;
    let first = 0;
    const last = new Deferred<number>();
    let d = last;
    for (let i = 0; i < LINKS; i++) {
      const inner = d;
      d = Deferred.succeed()
        .addCallback(() => inner)
        .addCallback((x) => {
          ran++;
          if (ran === 1) first = depth();
          if (ran === LINKS) more = Math.max(more, depth() - first);
          return x + 1;
        });
    }
    last.callback(0);
    if (ran !== LINKS) throw new Error(`${ran} of ${LINKS} callbacks ran`);
  });
  const p = await latency(20, async () => {
    let resolve!: (x: number) => void;
    let promise = new Promise<number>((r) => {
      resolve = r;
    });
    for (let i = 0; i < LINKS; i++) {
      const inner = promise;
      promise = Promise.resolve()
        .then(() => inner)
        .then((x) => x + 1);
    }
    resolve(0);
    await promise;
  });
  report({
    what: `a chain of ${LINKS} Deferreds, made and run`,
    value: `${ms(l)}, ${more} frames more at its end`,
    goal: below(1, more, 'frame'),
    peer: `promises ${ms(p)}`,
  });
}

async function callbacks(): Promise<void> {
  const ours = (): void => {
    const d = new Deferred<number>();
    for (let i = 0; i < BATCH; i++) d.addCallback(increment);
    d.callback(0);
  };
  const theirs = (): Promise<number> => {
    let promise = Promise.resolve(0);
    for (let i = 0; i < BATCH; i++) promise = promise.then(increment);
    return promise;
  };
  await latency(1, theirs, 2_000);
  const l = await latency(4_000, ours, 2_000);
  const p = await latency(4_000, theirs);
  const of = (x: Latency): string => `p50 ${nanoseconds(x.p50).toFixed(1)} ns, p99 ${nanoseconds(x.p99).toFixed(1)} ns`;
  report({
    what: 'a callback of a Deferred, added and run',
    value: of(l),
    goal: below(Number(nanoseconds(p.p50).toFixed(1)), nanoseconds(l.p50), "ns, a promise's `then`"),
    peer: `promises ${of(p)}`,
  });
}

const increment = (x: number): number => x + 1;
const nanoseconds = (batch: number): number => (batch * 1e6) / BATCH;

function depth(): number {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  const frames = new Error().stack!.split('\n').length;
  Error.stackTraceLimit = limit;
  return frames;
}
