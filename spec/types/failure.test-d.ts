/** Compiled, never run: what check and trap infer. */
import { check, trap } from '../../core/failure.ts';

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
function is<Expected>() {
  return <Actual>(
    _actual: Actual,
    ..._same: Same<Actual, Expected> extends true ? [] : ['not the same type']
  ): void => {};
}

declare const error: unknown;
class MyLibError extends Error {}

is<TypeErrorConstructor | 'MyLibError' | undefined>()(check(error, TypeError, 'MyLibError'));
is<TypeErrorConstructor | typeof MyLibError>()(trap(error, TypeError, MyLibError));
is<undefined>()(check(error));
