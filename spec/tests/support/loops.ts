/** Loops that never end, in every place where JavaScript can loop. Each says by `task.send` that it is about to begin. */
import { task } from 'tutti/engine';
import type { InterruptResult } from '../../../core/conversation.ts';

export interface Loop {
  name: string;
  /** How it may be stopped. */
  how: InterruptResult[];
  code: () => unknown;
}

const landed: InterruptResult[] = ['landed'];
const unwound: InterruptResult[] = ['unwound'];
const restarted: InterruptResult[] = ['restarted'];
/** `while (true);` has no step position, so its frame cannot be made ready to be run again. */
const either: InterruptResult[] = ['restarted', 'unwound'];

/** While the loop is what the call has begun with. */
export const inside: Loop[] = [
  {
    name: 'an empty loop',
    how: landed,
    code: () => {
      task!.send('in');
      while (true);
    },
  },
  {
    name: 'a loop with calls',
    how: landed,
    code: () => {
      const add = (a: number, b: number): number => a + b;
      task!.send('in');
      for (let i = 0; ; i = add(i, 1));
    },
  },
  {
    name: 'a loop that allocates',
    how: landed,
    code: () => {
      let list: number[][] = [];
      task!.send('in');
      for (;;) {
        list.push(new Array(100).fill(1));
        if (list.length > 10_000) list = [];
      }
    },
  },
  {
    name: 'one that catches everything',
    how: landed,
    code: () => {
      task!.send('in');
      for (;;) {
        try {
          for (let i = 0; i < 1e6; i++) Math.sqrt(i);
          throw new Error('again');
        } catch {
          // and again
        } finally {
          // biome-ignore lint/correctness/noUnsafeFinally: that is the point
          // biome-ignore lint/complexity/noUselessContinue: likewise
          continue;
        }
      }
    },
  },
  {
    name: 'a generator',
    how: landed,
    code: () => {
      function* numbers(): Generator<number> {
        for (let i = 0; ; i++) yield i;
      }
      let sum = 0;
      task!.send('in');
      for (const n of numbers()) sum += n;
      return sum;
    },
  },
  {
    name: 'a comparator',
    how: landed,
    code: () => {
      task!.send('in');
      return [3, 1, 2].sort(() => {
        while (true);
      });
    },
  },
  {
    name: 'a proxy',
    how: landed,
    code: () => {
      const proxy = new Proxy({} as { x: number }, {
        get() {
          for (;;);
        },
      });
      task!.send('in');
      return proxy.x;
    },
  },
  {
    name: 'a getter',
    how: landed,
    code: () => {
      const object = {
        get x(): number {
          for (;;);
        },
      };
      task!.send('in');
      return object.x;
    },
  },
  {
    name: 'a reviver',
    how: landed,
    code: () => {
      task!.send('in');
      return JSON.parse('[1]', () => {
        for (;;);
      });
    },
  },
  {
    name: 'toString and valueOf',
    how: landed,
    code: () => {
      const object = {
        toString(): string {
          for (let i = 0; ; i++) Math.sqrt(i);
        },
      };
      task!.send('in');
      return `${object}`;
    },
  },
  {
    name: 'a constructor of a subclass',
    how: landed,
    code: () => {
      class A {
        constructor() {
          for (let i = 0; ; i++) Math.sqrt(i);
        }
      }
      class B extends A {}
      task!.send('in');
      return new B();
    },
  },
  {
    name: 'wasm',
    how: landed,
    code: () => {
      // (module (func (export "spin") (loop (br 0))))
      const bytes = [
        ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, 8, 1, 4, 0x73, 0x70, 0x69, 0x6e, 0, 0],
        ...[0x0a, 9, 1, 7, 0, 3, 0x40, 0x0c, 0, 0x0b, 0x0b],
      ];
      const { WebAssembly } = globalThis as any;
      const { spin } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes))).exports;
      task!.send('in');
      spin();
    },
  },
  {
    name: 'Atomics.wait',
    how: landed,
    code: () => {
      task!.send('in');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    },
  },
  {
    name: 'a regular expression that goes back and back',
    how: landed,
    code: () => {
      task!.send('in');
      return /^(a+)+$/.test(`${'a'.repeat(200)}b`);
    },
  },
  {
    name: 'a loop of native calls',
    how: landed,
    code: () => {
      const text = JSON.stringify(Array.from({ length: 1_000 }, (_, i) => ({ i })));
      const parse = (json: string): unknown => JSON.parse(json);
      task!.send('in');
      for (;;) parse(text);
    },
  },
  {
    name: 'a loop that prints',
    how: landed,
    code: () => {
      task!.send('in');
      for (let i = 0; ; i++) console.log('line', i);
    },
  },
  {
    name: 'a loop that sends',
    how: landed,
    code: () => {
      for (let i = 0; ; i++) task!.send({ i });
    },
  },
  {
    name: 'a loop that polls',
    how: landed,
    code: () => {
      task!.send('in');
      while (!task!.poll());
    },
  },
  {
    name: 'a loop in AsyncLocalStorage and AsyncResource',
    how: landed,
    code: () => {
      const { AsyncLocalStorage, AsyncResource } = process.getBuiltinModule('node:async_hooks');
      task!.send('in');
      new AsyncLocalStorage().run(1, () =>
        new AsyncResource('R').runInAsyncScope(() => {
          for (let i = 0; ; i++) Math.sqrt(i);
        }),
      );
    },
  },
  {
    name: 'an async function before its first await',
    how: landed,
    code: async () => {
      task!.send('in');
      for (let i = 0; ; i++) Math.sqrt(i);
    },
  },
  {
    name: 'a deep recursion that catches everything',
    how: landed,
    code: () => {
      const deep = (levels: number): void => {
        try {
          if (levels) deep(levels - 1);
          throw new Error('up');
        } catch {
          // once more
        }
      };
      task!.send('in');
      for (;;) deep(300);
    },
  },
];

/** Past an await, or in a callback that the event loop calls. */
export const outside: Loop[] = [
  {
    name: 'past an await',
    how: unwound,
    code: async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      task!.send('in');
      while (true);
    },
  },
  {
    name: 'past an await, catching everything',
    how: unwound,
    code: async () => {
      await null;
      task!.send('in');
      for (;;) {
        try {
          for (let i = 0; i < 1e6; i++) Math.sqrt(i);
          throw new Error('again');
        } catch {
          await null;
        } finally {
          await null;
        }
      }
    },
  },
  {
    name: 'an endless await null',
    how: unwound,
    code: async () => {
      await null;
      task!.send('in');
      for (;;) await null;
    },
  },
  {
    name: 'an async generator',
    how: unwound,
    code: async () => {
      async function* numbers(): AsyncGenerator<number> {
        for (let i = 0; ; i++) yield i;
      }
      await null;
      task!.send('in');
      for await (const n of numbers()) Math.sqrt(n);
    },
  },
  {
    name: 'a timer',
    how: unwound,
    code: () =>
      new Promise(() =>
        setTimeout(() => {
          task!.send('in');
          for (let i = 0; ; i++) Math.sqrt(i);
        }, 5),
      ),
  },
  {
    name: 'an interval',
    how: unwound,
    code: () =>
      new Promise(() => {
        const timer = setInterval(() => {
          clearInterval(timer);
          task!.send('in');
          for (;;);
        }, 5);
      }),
  },
  {
    name: 'setImmediate',
    how: restarted,
    code: () =>
      new Promise(() =>
        setImmediate(() => {
          task!.send('in');
          for (let i = 0; ; i++) Math.sqrt(i);
        }),
      ),
  },
  {
    name: 'an empty loop in setImmediate',
    how: either,
    code: () =>
      new Promise(() =>
        setImmediate(() => {
          task!.send('in');
          while (true);
        }),
      ),
  },
  {
    name: 'a loop past an awaited setImmediate',
    how: either,
    code: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      task!.send('in');
      for (let i = 0; ; i++) Math.sqrt(i);
    },
  },
  {
    name: 'an empty loop past an awaited setImmediate',
    how: either,
    code: async () => {
      await new Promise(setImmediate);
      task!.send('in');
      for (;;);
    },
  },
  {
    name: 'a loop past setImmediate of timers/promises',
    how: either,
    code: async () => {
      await process.getBuiltinModule('node:timers/promises').setImmediate();
      task!.send('in');
      for (let i = 0; ; i++) Math.sqrt(i);
    },
  },
  {
    name: 'nextTick',
    how: unwound,
    code: () =>
      new Promise(() =>
        process.nextTick(() => {
          task!.send('in');
          for (let i = 0; ; i++) Math.sqrt(i);
        }),
      ),
  },
  {
    name: 'queueMicrotask',
    how: unwound,
    code: () =>
      new Promise(() =>
        queueMicrotask(() => {
          task!.send('in');
          for (let i = 0; ; i++) Math.sqrt(i);
        }),
      ),
  },
  {
    name: 'a reaction of a promise',
    how: unwound,
    code: () =>
      new Promise((resolve) => setTimeout(resolve, 5)).then(() => {
        task!.send('in');
        for (let i = 0; ; i++) Math.sqrt(i);
      }),
  },
  {
    name: 'a callback of fs',
    how: unwound,
    code: () =>
      new Promise(() =>
        process.getBuiltinModule('node:fs').stat('.', () => {
          task!.send('in');
          for (let i = 0; ; i++) Math.sqrt(i);
        }),
      ),
  },
  {
    name: 'a listener of a socket',
    how: unwound,
    code: () =>
      new Promise(() => {
        const net = process.getBuiltinModule('node:net');
        const server = net.createServer((socket) => {
          socket.unref();
          server.close();
          task!.send('in');
          for (let i = 0; ; i++) Math.sqrt(i);
        });
        server.listen(0, '127.0.0.1', () => net.connect((server.address() as { port: number }).port).unref());
      }),
  },
  {
    name: 'past an await in AsyncLocalStorage',
    how: unwound,
    code: () => {
      const { AsyncLocalStorage } = process.getBuiltinModule('node:async_hooks');
      return new AsyncLocalStorage().run('store', async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        task!.send('in');
        for (let i = 0; ; i++) Math.sqrt(i);
      });
    },
  },
  {
    name: 'AsyncResource past an await',
    how: unwound,
    code: async () => {
      const { AsyncResource } = process.getBuiltinModule('node:async_hooks');
      await new Promise((resolve) => setTimeout(resolve, 5));
      task!.send('in');
      new AsyncResource('R').runInAsyncScope(() => {
        for (let i = 0; ; i++) Math.sqrt(i);
      });
    },
  },
  {
    name: 'a MessagePort',
    how: unwound,
    code: () =>
      new Promise(() => {
        const { MessageChannel: Channel } = process.getBuiltinModule('node:worker_threads');
        const { port1, port2 } = new Channel();
        port1.once('message', () => {
          port1.close();
          task!.send('in');
          for (let i = 0; ; i++) Math.sqrt(i);
        });
        port2.postMessage(1);
      }),
  },
];
