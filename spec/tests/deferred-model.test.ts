import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Deferred } from '../../core/deferred/index.ts';
import { AlreadyCalledError, CancelledError } from '../../core/errors.ts';

/** A handful of Deferreds, by index. A Deferred only ever waits for one of a higher index, so that there are no circles. */
const SIZE = 4;

type Outcome = { kind: 'value' | 'error'; of: unknown };
/** What a callback does, or what a Deferred is fired with. */
type Result = { kind: 'value' | 'error'; of: number } | { kind: 'wait'; for: number };
type Step =
  | { do: 'add'; to: number; lane: 'value' | 'error' | 'both'; label: number; result: Result; also?: Step | undefined }
  | { do: 'tap'; to: number; label: number }
  | { do: 'fire'; to: number; result: Result }
  | { do: 'cancel'; to: number }
  | { do: 'pause'; to: number }
  | { do: 'unpause'; to: number };

/** How each Deferred of the run answers a cancel. */
type CancellerKind = 'none' | 'idle' | 'value' | 'throws';

/** Both sides write down what happens, in order. */
interface Side {
  log: string[];
  perform(step: Step): void;
}

class ModelDeferred {
  outcome: Outcome | undefined = undefined;
  called = false;
  links: ((outcome: Outcome) => Outcome | ModelDeferred)[] = [];
  waiters = new Map<(outcome: Outcome) => Outcome | ModelDeferred, ModelDeferred>();
  pauses = 0;
  running = false;
  waitingFor: ModelDeferred | undefined = undefined;
  swallow = false;

  readonly canceller: CancellerKind;

  constructor(canceller: CancellerKind) {
    this.canceller = canceller;
  }

  add(link: (outcome: Outcome) => Outcome | ModelDeferred): void {
    this.links.push(link);
    this.run();
  }

  fire(outcome: Outcome | ModelDeferred): void {
    if (this.called) {
      if (!this.swallow) throw new AlreadyCalledError('model');
      this.swallow = false;
      return;
    }
    this.called = true;
    this.become(outcome);
    this.run();
  }

  become(outcome: Outcome | ModelDeferred): void {
    if (!(outcome instanceof ModelDeferred)) {
      this.outcome = outcome;
      return;
    }
    this.waitingFor = outcome;
    // A link that hands the outcome over and leaves undefined; it runs the waiter before the rest of its own line.
    const link = (moved: Outcome): Outcome => {
      this.waitingFor = undefined;
      this.outcome = moved;
      return { kind: 'value', of: undefined };
    };
    outcome.waiters.set(link, this);
    // Where others stand in line, somebody is at work on them or will be: nobody goes before them.
    const idle = outcome.links.length === 0;
    outcome.links.push(link);
    if (idle) outcome.run();
  }

  run(): void {
    while (this.called && !this.running && this.pauses === 0 && !this.waitingFor && this.links.length > 0) {
      const link = this.links.shift()!;
      this.running = true;
      const next = link(this.outcome!);
      this.running = false;
      this.become(next);
      this.waiters.get(link)?.run();
    }
  }

  cancel(): void {
    this.waitingFor?.cancel();
    if (this.called) return;
    if (this.canceller === 'none') this.swallow = true;
    this.called = true;
    if (this.canceller === 'value') this.outcome = { kind: 'value', of: 'from the canceller' };
    else if (this.canceller === 'throws') this.outcome = { kind: 'error', of: 'thrown by the canceller' };
    else this.outcome = { kind: 'error', of: 'cancelled' };
    this.run();
  }
}

function model(kinds: CancellerKind[]): Side {
  const log: string[] = [];
  const pool = kinds.map((kind) => new ModelDeferred(kind));
  const outcomeOf = (result: Result) => (result.kind === 'wait' ? pool[result.for]! : result);
  const perform = (step: Step): void => {
    const d = pool[step.to]!;
    if (step.do === 'fire') d.fire(outcomeOf(step.result));
    else if (step.do === 'cancel') d.cancel();
    else if (step.do === 'pause') d.pauses++;
    else if (step.do === 'unpause') {
      if (d.pauses === 0) throw new Error('not paused');
      d.pauses--;
      d.run();
    } else {
      d.add((outcome) => {
        if (step.do === 'add' && step.lane !== 'both' && step.lane !== outcome.kind) return outcome;
        log.push(`${step.label}: ${outcome.kind} ${outcome.of}`);
        if (step.do === 'tap') return outcome;
        attempt(log, perform, step.also);
        return outcomeOf(step.result);
      });
    }
  };
  return { log, perform };
}

function real(kinds: CancellerKind[]): Side & { quiet(): void } {
  const log: string[] = [];
  const pool: Deferred<any>[] = kinds.map((kind) =>
    kind === 'none'
      ? new Deferred()
      : new Deferred((d) => {
          if (kind === 'value') d.callback('from the canceller');
          if (kind === 'throws') throw 'thrown by the canceller';
        }),
  );
  const show = (error: unknown) => (error instanceof CancelledError ? 'cancelled' : error);
  const perform = (step: Step): void => {
    const d = pool[step.to]!;
    if (step.do === 'fire') {
      if (step.result.kind === 'error') d.errback(step.result.of);
      else d.callback(step.result.kind === 'wait' ? pool[step.result.for] : step.result.of);
    } else if (step.do === 'cancel' || step.do === 'pause' || step.do === 'unpause') d[step.do]();
    else if (step.do === 'tap') {
      d.tap(
        (value) => log.push(`${step.label}: value ${value}`),
        (error) => log.push(`${step.label}: error ${show(error)}`),
      );
    } else {
      const station = (kind: string) => (outcome: unknown) => {
        log.push(`${step.label}: ${kind} ${show(outcome)}`);
        attempt(log, perform, step.also);
        if (step.result.kind === 'error') throw step.result.of;
        return step.result.kind === 'wait' ? pool[step.result.for] : step.result.of;
      };
      if (step.lane === 'value') d.addCallback(station('value'));
      else if (step.lane === 'error') d.addErrback(station('error'));
      else d.addCallbacks(station('value'), station('error'));
    }
  };
  const quiet = () => {
    for (const d of pool) void d.catch(() => {});
  };
  return { log, perform, quiet };
}

function attempt(log: string[], perform: (step: Step) => void, step: Step | undefined): void {
  if (!step) return;
  try {
    perform(step);
  } catch (error) {
    log.push(error instanceof AlreadyCalledError ? 'already called' : 'refused');
  }
}

const index = fc.nat(SIZE - 1);
const resultFor = (to: number): fc.Arbitrary<Result> => {
  const plain = fc.record({ kind: fc.constantFrom('value' as const, 'error' as const), of: fc.nat(9) });
  if (to === SIZE - 1) return plain;
  const wait = fc.record({ kind: fc.constant('wait' as const), for: fc.integer({ min: to + 1, max: SIZE - 1 }) });
  return fc.oneof({ weight: 2, arbitrary: plain }, { weight: 1, arbitrary: wait });
};
const steps = fc.letrec<{ step: Step }>((tie) => ({
  step: index.chain((to) =>
    fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.record({ do: fc.constant('fire' as const), to: fc.constant(to), result: resultFor(to) }),
      fc.record({ do: fc.constantFrom('cancel', 'pause', 'unpause', 'unpause'), to: fc.constant(to) }),
      fc.record({ do: fc.constant('tap' as const), to: fc.constant(to), label: fc.nat(99) }),
      fc.record({
        do: fc.constant('add' as const),
        to: fc.constant(to),
        lane: fc.constantFrom('value' as const, 'error' as const, 'both' as const),
        label: fc.nat(99),
        result: resultFor(to),
        also: fc.option(tie('step'), { nil: undefined }),
      }),
    ),
  ) as fc.Arbitrary<Step>,
}));
const kinds = fc.array(fc.constantFrom<CancellerKind>('none', 'idle', 'value', 'throws'), {
  minLength: SIZE,
  maxLength: SIZE,
});

test('does what the model does, step by step', () => {
  fc.assert(
    fc.property(kinds, fc.array(steps.step, { maxLength: 25, size: 'max' }), (cancellers, program) => {
      const expected = model(cancellers);
      const actual = real(cancellers);
      for (const step of program) {
        attempt(expected.log, expected.perform, step);
        attempt(actual.log, actual.perform, step);
      }
      actual.quiet();
      expect(actual.log).toEqual(expected.log);
    }),
    { numRuns: 3000 },
  );
});
