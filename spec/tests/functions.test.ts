import assert from 'node:assert/strict';
import fs, { readFileSync } from 'node:fs';
import net from 'node:net';
import * as path from 'node:path';
import { pack, unpack } from 'msgpackr';
import { describe, test } from 'vitest';
import { inspectionCount } from '../../core/functions/scopes.ts';
import * as shapes from '../fixtures/functions/shapes.ts';
import { area, Circle } from '../fixtures/functions/shapes.ts';
import { sender, travel } from '../fixtures/functions/travel.ts';

const top = 3;
const times = (x: number) => x * top;

describe('what a function takes along', () => {
  test('captured values and helper functions', () => {
    const k = 3;
    const f = (x: number) => x * k;
    assert.equal(travel((x: number) => f(x) + 1)(2), 7);
    assert.equal(travel((x: number) => times(x) + top)(2), 9);
  });

  test('typed arrays, Maps and shared identity', () => {
    const data = Float64Array.of(1, 2, 3);
    const map = new Map([['a', data]]);
    const f = travel(() => ({ sum: data.reduce((a, b) => a + b), same: map.get('a') === data }));
    assert.deepEqual(f(), { sum: 6, same: true });
  });

  test('variables as they are at each sending', () => {
    let n = 1;
    const seen = new Map<string, number>();
    const f = () => [n, seen.size];
    assert.deepEqual(travel(f)(), [1, 0]);
    n = 2;
    seen.set('x', 1);
    assert.deepEqual(travel(f)(), [2, 1]);
  });

  test('not before they have a value', () => {
    const early = () => late;
    // Node 20 shows an uninitialised variable as undefined; later versions say so.
    try {
      assert.equal(travel(early)(), undefined);
    } catch (error) {
      assert.match((error as Error).message, /captures 'late', not initialised yet\. Send it after the line/);
    }
    const late = 1;
    assert.equal(travel(early)(), 1);
  });

  test('the loop variable of its own iteration', () => {
    const all: (() => number)[] = [];
    for (let i = 0; i < 3; i++) all.push(() => i);
    assert.deepEqual(
      travel(all).map((f) => f()),
      [0, 1, 2],
    );
  });

  test('recursion and mutual recursion', () => {
    const fact = (n: number): number => (n < 2 ? 1 : n * fact(n - 1));
    assert.equal(travel(fact)(5), 120);
    const even = (n: number): boolean => n === 0 || odd(n - 1);
    const odd = (n: number): boolean => n !== 0 && even(n - 1);
    assert.deepEqual([travel(even)(7), travel(odd)(7)], [false, true]);
    function fib(n: number): number {
      return n < 2 ? n : fib(n - 1) + fib(n - 2);
    }
    assert.equal(travel(fib)(10), 55);
  });

  test('variables of its own, which change as they would at home', () => {
    let n = 0;
    const bump = () => ++n;
    const f = travel(bump);
    assert.deepEqual([f(), f(), travel(bump)(), n], [1, 2, 1, 0]);
  });

  test('the default of a parameter, however names are shadowed', () => {
    const a = 5;
    const b = 7;
    assert.equal(travel((x = a, { b: y = b } = {} as { b?: number }, a2 = x) => x + y + a2)(), 17);
    assert.equal(
      travel((x = b) => {
        var b = 1;
        return x + b;
      })(),
      8,
    );
  });
});

describe('kinds of functions', () => {
  test('async, generator, async generator', async () => {
    const k = 2;
    assert.equal(await travel(async (x: number) => (await Promise.resolve(x)) * k)(4), 8);
    assert.deepEqual(
      [
        ...travel(function* () {
          yield k;
          yield k + 1;
        })(),
      ],
      [2, 3],
    );
    const out: number[] = [];
    for await (const x of travel(async function* () {
      yield* [k, k];
    })())
      out.push(x);
    assert.deepEqual(out, [2, 2]);
  });

  test('methods', async () => {
    const k = 2;
    const key = 'odd name';
    const object = {
      plain(x: number) {
        return x * k;
      },
      async later(x: number) {
        return x * k;
      },
      *many() {
        yield k;
      },
      [key]() {
        return this;
      },
    };
    assert.equal(travel(object.plain)(3), 6);
    assert.equal(await travel(object.later)(3), 6);
    assert.deepEqual([...travel(object.many)()], [2]);
    assert.equal(travel(object[key]).name, key);
    assert.equal(travel(object).plain(4), 8);
  });

  test('names are kept', () => {
    const f = () => 1;
    assert.equal(travel(f).name, 'f');
    assert.equal(travel(class Abc {}).name, 'Abc');
    assert.equal(
      travel(
        (
          () => () =>
            1
        )(),
      ).name,
      '',
    );
  });

  test('a class with private and static members, and its base', () => {
    const start = 10;
    class Base {
      protected n = start;
    }
    class Counter extends Base {
      static made = 0;
      #step = 2;
      static {
        Counter.made = start;
      }
      next() {
        return (this.n += this.#step);
      }
    }
    const There = travel(Counter);
    assert.deepEqual([new There().next(), There.made, There.name], [12, 10, 'Counter']);
    assert.equal(travel(() => new Counter().next())(), 12);
  });
});

describe('classes that know each other', () => {
  class Parent {
    n = 1;
    static child() {
      return new Child();
    }
  }
  class Child extends Parent {
    up() {
      return Parent.name;
    }
  }
  test('the child first', () => assert.equal(new (travel(Child))().up(), 'Parent'));
  test('the parent first', () => assert.equal((travel(Parent).child() as Child).up(), 'Parent'));
  test('both at once', () => {
    const [P, C] = travel([Parent, Child]);
    assert.equal(new C!() instanceof P!, true);
  });
});

describe('what comes from elsewhere', () => {
  test('builtins are known by name', () => {
    assert.equal(travel(readFileSync), readFileSync);
    const whole = fs;
    assert.equal(travel(() => whole)(), fs);
    assert.equal(travel(path).join('a', 'b'), 'a/b');
    const { max } = Math;
    const now = Date.now;
    const log = console;
    assert.deepEqual(travel(() => [max(1, 2), now, log] as const)(), [2, Date.now, console]);
    assert.equal(travel(() => path.basename(fs.realpathSync(path.join('/', 'tmp', '..', 'dev'))))(), 'dev');
  });

  test('imports travel as one module, run once', () => {
    const make = travel(() => new Circle(10));
    assert.equal(travel((c: Circle) => area(c))(make()), 314);
    assert.equal(travel(() => shapes.count())(), 1);
    assert.equal(make() instanceof Circle, false, 'the class there is another one than here');
    assert.equal(travel(() => [new Circle(1) instanceof shapes.Circle, shapes.default.twice(2)].join())(), 'true,4');
  });

  test('packages', () => {
    assert.deepEqual(travel((v: unknown) => unpack(pack(v)))({ a: [1, null] }), { a: [1, null] });
  });

  test('free names are left to the namespace there', () => {
    const f = travel(() => [typeof missing, (globalThis as Record<string, any>).missing].join());
    assert.equal(f(), 'undefined,');
    Object.assign(globalThis, { missing: 1 });
    assert.equal(f(), 'number,1');
    Reflect.deleteProperty(globalThis, 'missing');
  });

  test('import() inside a function resolves from the directory of the store', async () => {
    // From a text, since the test runner rewrites import().
    const load = new Function('return (specifier) => import(specifier)')() as (s: string) => Promise<any>;
    assert.equal((await travel(load)('node:path')).sep, path.sep);
    assert.equal(typeof (await travel(load)('msgpackr')).pack, 'function');
    assert.equal((await travel(load)('./plain.mjs')).default, 'found');
  });
});

describe('cost and isolation', () => {
  test('a function without captures asks the inspector once, and not at all without free names', () => {
    const f = (x: number) => Math.abs(x);
    travel(f);
    const before = inspectionCount();
    for (let i = 0; i < 10; i++) travel(f);
    travel((x: number) => x + 1);
    assert.equal(inspectionCount(), before);
  });

  test('nothing leaks from one arrival to the next', () => {
    const f = (x: number) => x;
    const there = travel(f) as typeof f & { note?: number };
    there.note = 1;
    assert.equal((travel(f) as typeof there).note, undefined);
    assert.deepEqual([travel([f, f]).length, travel([f, f])[0] === travel([f, f])[1]], [2, false]);
    const [a, b] = travel([f, f]);
    assert.equal(a, b);
  });

  test('the same text with other values has the same hash, another text another', () => {
    const make = (k: number) => () => k;
    const hash = (f: () => number) => (sender.form(f, 'f') as { hash: string }).hash;
    assert.equal(hash(make(1)), hash(make(2)));
    const k = 1;
    assert.notEqual(
      hash(make(1)),
      hash(() => k + 1),
    );
    assert.match(hash(make(1)), /^[0-9a-f]{32}$/);
  });

  test('globals are left alone', () => {
    const before = [Reflect.ownKeys(globalThis), Reflect.ownKeys(process)];
    travel(() => times(1));
    assert.deepEqual([Reflect.ownKeys(globalThis), Reflect.ownKeys(process)], before);
  });
});

describe('what is refused', () => {
  const refused = (value: unknown, pattern: RegExp) =>
    assert.throws(() => travel(value), { code: 'CANNOT_TRAVEL', message: pattern });

  test('with the trail of who captures what', () => {
    const bound = Math.max.bind(null, 1);
    const conn = () => bound(2);
    refused(
      () => conn(),
      /^cannot send the function at args\[0\]: it captures 'conn', a function which captures 'bound', a bound function\. Send an arrow/,
    );
  });

  test('sockets and other handles, by the codec', () => {
    const socket = new net.Socket();
    const conn = () => socket.end();
    refused(() => conn(), /args\[0\] → captured variable 'conn' → captured variable 'socket'.*Socket/s);
    socket.destroy();
  });

  test('native code, getters and private methods', () => {
    refused(new Proxy(() => 1, {}), /native code or a Proxy/);
    const get = Object.getOwnPropertyDescriptor(
      Circle.prototype.constructor && {
        get x() {
          return 1;
        },
      },
      'x',
    )!.get;
    refused(get, /a getter or setter/);
    class P {
      #m() {}
      get m() {
        return this.#m;
      }
    }
    refused(new P().m, /does not stand alone/);
  });

  test('what only the code around it has', () => {
    class A {
      arrow = () => this;
      m() {
        return 1;
      }
    }
    class B extends A {
      override m() {
        return super.m();
      }
    }
    refused(new A().arrow, /'this' of the code around it/);
    refused(B.prototype.m, /'super' of the code around it/);
    function outer(..._: number[]) {
      // biome-ignore lint/complexity/noArguments: the case in question
      return [() => arguments.length, () => new.target];
    }
    refused(outer(1)[0], /'arguments' of the code around it.*rest parameter/s);
    refused(outer(1)[1], /'new.target' of the code around it/);
    refused(() => import.meta.url, /'import.meta' of the code around it/);
    assert.equal(travel(B).name, 'B');
  });
});

declare const missing: unknown;
