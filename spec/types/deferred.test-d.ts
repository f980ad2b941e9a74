/** Compiled, never run: what Deferred infers. */
import type { Observable } from 'rxjs';
import {
  co,
  Deferred,
  DeferredList,
  DeferredLock,
  DeferredQueue,
  gatherResults,
  type Outcome,
  race,
  wait,
} from '../../core/deferred/index.ts';

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
function is<Expected>() {
  return <Actual>(
    _actual: Actual,
    ..._same: Same<Actual, Expected> extends true ? [] : ['not the same type']
  ): void => {};
}

declare const numbers: Deferred<number>;
declare const observable: Observable<Date>;

is<Deferred<string>>()(numbers.addCallback((x) => x.toFixed()));
is<Deferred<string>>()(numbers.addCallback(async (x) => x.toFixed()));
is<Deferred<string>>()(numbers.addCallback((x) => Deferred.succeed(x.toFixed())));
is<Deferred<boolean>>()(numbers.addCallback((x) => x.toFixed()).addCallback((s) => s.length > 1));
is<Deferred<string | boolean>>()(
  numbers.addCallbacks(
    (x) => x.toFixed(),
    (_e) => Math.random() > 0.5,
  ),
);
is<Deferred<number | null>>()(numbers.addErrback(() => null));
is<Deferred<number>>()(
  numbers.addErrback((error) => {
    is<unknown>()(error);
    throw error;
  }),
);
is<Deferred<number>>()(
  numbers.addBoth((outcome, failed) => {
    is<unknown>()(outcome);
    is<boolean>()(failed);
    return 1;
  }),
);
is<Deferred<number>>()(numbers.addTimeout(5));
is<Deferred<void>>()(Deferred.succeed());
is<Deferred<number>>()(Deferred.succeed(Promise.resolve(1)));
is<Deferred<never>>()(Deferred.fail(new Error('x')));
is<Deferred<string>>()(Deferred.maybe(() => 'x'));
is<Deferred<string>>()(Deferred.maybe(async () => 'x'));
is<Deferred<number>>()(Deferred.from(Promise.resolve(1)));
is<Deferred<Date>>()(Deferred.from(observable));
is<Observable<number>>()(numbers.toObservable());
is<Promise<number>>()(numbers.toPromise());
is<Promise<string>>()(numbers.then((x) => x.toFixed()));
is<Promise<number | string>>()(numbers.catch(() => 'x'));
is<number>()(null as unknown as Awaited<typeof numbers>);

new Deferred<void>().callback();
new Deferred<number>().callback(numbers);
new Deferred<number>((deferred, reason) => {
  is<Deferred<number>>()(deferred);
  is<unknown>()(reason);
});

// @ts-expect-error: not a number
new Deferred<number>().callback('one');
// @ts-expect-error: the value is a number
numbers.addCallback((x: string) => x);
// @ts-expect-error: not a source
Deferred.from(5);

const all = new DeferredList([numbers, Promise.resolve('x')]);
is<[Outcome<number>, Outcome<string>]>()(null as unknown as Awaited<typeof all>);
const first = new DeferredList([numbers, Promise.resolve('x')], { fireOnOneCallback: true });
is<[Outcome<number>, Outcome<string>] | [value: number | string, index: number]>()(
  null as unknown as Awaited<typeof first>,
);
is<Deferred<[number, string]>>()(gatherResults([numbers, Promise.resolve('x')]));
is<Deferred<number[]>>()(gatherResults([] as Deferred<number>[]));
is<Deferred<[index: number, value: number | string]>>()(race([numbers, Promise.resolve('x')]));
is<Deferred<string>>()(new DeferredLock().run(async () => 'x'));
is<Deferred<Date>>()(new DeferredQueue<Date>().get());
is<Deferred<string>>()(
  co(function* () {
    is<number>()(yield* wait(numbers));
    is<string>()(yield* wait(Promise.resolve('x')));
    is<Date>()(yield* wait(new Date()));
    return 'x';
  }),
);
