/** A page in a real browser as a client. What stands in `inPage(…)` runs there, with `tutti` and a `client` as globals. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { type Client, type Cluster, cluster, registerTransport } from 'tutti';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type * as TuttiInPage from '../../browser.ts';
import { children, type Node, statementsOf } from '../../core/functions/syntax.ts';
import { cuttableProxy } from './cuttable-proxy.ts';
import { noBrowser, openBrowser, outputFile, type Site, serve } from './support/browser.ts';
import { openGate, pass } from './support/gate.ts';
import { wsListener } from './support/ws-listener.ts';

registerTransport(wsListener());

declare const document: { body: object };
declare const alert: () => void;
declare const Worker: new (
  url: string,
  options: { type: 'module' },
) => { onmessage(event: { data: unknown }): void; postMessage(value: unknown): void };
declare const client: Client;
declare const tutti: typeof TuttiInPage;
declare const where: { urls: [string]; token: string };

test('the bundle is one file: it imports nothing, of Node or anybody else', () => {
  const text = readFileSync(path.resolve(import.meta.dirname, '../../dist/browser.js'), 'utf8');
  const nodes = [...everyNode(statementsOf(text))];
  const required = (node: Node): boolean => node.type === 'CallExpression' && node.callee.name === 'require';
  expect(nodes.length).toBeGreaterThan(10_000);
  expect(nodes.filter((node) => /^Import/.test(node.type) || node.source || required(node))).toEqual([]);
  expect(text).not.toMatch(/['"`]node:\w+['"`]/);
});

function* everyNode(nodes: Iterable<Node>): Generator<Node> {
  for (const node of nodes) {
    yield node;
    yield* everyNode(children(node));
  }
}

if (noBrowser) console.warn(`Tests in a browser are skipped: ${noBrowser}`);

describe.skipIf(noBrowser)('in a browser', () => {
  let home: Cluster;
  let browser: Browser;
  let site: Site;
  let page: Page;
  const printed: string[] = [];
  const inPage: Page['evaluate'] = (...args: [any]) => page.evaluate(...args);

  beforeAll(async () => {
    home = await cluster({ engines: 4, listen: ['ws://127.0.0.1:0'], output: 'ignore' });
    const { urls, token } = home.connection;
    const shown = (policy: string): string => `
      <!doctype html><title>tutti</title>${policy}<h1>Four engines</h1><pre></pre>
      <script type="module">
        import * as tutti from '/tutti.js';
        const where = ${JSON.stringify({ urls, token })};
        const client = await tutti.connect(where);
        Object.assign(globalThis, { tutti, where, client });
        const values = await client.all.execute('[engine.id, 6 * 7 + engine.id]');
        document.querySelector('pre').textContent = values.map(([id, value]) => \`[\${id}] \${value}\`).join('\\n');
        try { document.body.dataset.eval = eval('1 + 1'); } catch {}
        document.body.append(document.createElement('hr'));
      </script>`;
    browser = await openBrowser();
    site = await serve({
      '/': shown(''),
      '/worker.js': `
        import { connect } from '/tutti.js';
        onmessage = async ({ data }) => {
          const client = await connect(data);
          postMessage(await client.all.execute('engine.id'));
          await client.close();
        };`,
      '/strict': shown(`<meta http-equiv="Content-Security-Policy" content="script-src 'self' 'unsafe-inline'">`),
    });
    page = await browser.newPage();
    page.on('console', (message) => printed.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => printed.push(`uncaught: ${error.message}`));
    await page.goto(site.origin);
    await page.waitForSelector('hr');
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    await home?.close();
  });

  test('a page shows what four engines say', async () => {
    expect(await page.textContent('pre')).toBe('[0] 42\n[1] 43\n[2] 44\n[3] 45');
    const file = outputFile('browser.png');
    await page.screenshot({ path: file });
    console.log(`Screenshot: ${file}`);
  });

  test('a page that forbids eval can be a client', async () => {
    const strict = await browser.newPage();
    await strict.goto(`${site.origin}/strict`);
    await strict.waitForSelector('hr');
    expect(await page.getAttribute('body', 'data-eval')).toBe('2');
    expect(await strict.getAttribute('body', 'data-eval')).toBe(null);
    expect(await strict.textContent('pre')).toBe('[0] 42\n[1] 43\n[2] 44\n[3] 45');
    await strict.close();
  });

  test('so can a worker of a page', async () => {
    const seen = await inPage(
      () =>
        new Promise((resolve) => {
          const worker = new Worker('/worker.js', { type: 'module' });
          worker.onmessage = ({ data }) => resolve(data);
          worker.postMessage(where);
        }),
    );
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  test('execute keeps the console: declarations, await, the last value, tags', async () => {
    const seen = await inPage(async () => {
      await client.all.execute('let count = engine.id; function twice(n) { return 2 * n }');
      await client.all.execute('let count = count + 1');
      const one = client.engine(1);
      return [
        await client.all.execute('count'),
        await one.execute('await Promise.resolve(twice(count))'),
        await one.execute`${[1, 2]}.length + ${one.execute('count')}`,
        await one.execute('{ a: 1, b: count < 5, c: count > (1) }'),
        String(await one.execute('twice')),
      ];
    });
    expect(seen).toEqual([[1, 2, 3, 4], 4, 4, { a: 1, b: true, c: true }, '[Function: twice]']);
  });

  test('types in code are refused, with the place', async () => {
    const errors = await inPage(async () => {
      const fault = async (code: string): Promise<unknown> =>
        client.all.execute(code).then(String, ({ name, message, line, column }) => [name, message, line, column]);
      return [
        await fault('let a = 1;\nlet b: number = 2'),
        await fault('let x = )'),
        await fault('[1].map(f<Date>(2))'),
        await client.engine(0).execute('let [p, q, r] = [1, 2, 0]; [p < q, q > (r), (p < q) > (r), `a` < `b`]'),
      ];
    });
    expect(errors).toEqual([
      [
        'SyntaxError',
        'Unexpected token; in a browser code is JavaScript (ES2024), without types (line 2, column 6)\n  let b: number = 2\n       ^',
        2,
        6,
      ],
      ['SyntaxError', expect.stringContaining('(line 1, column 9)\n  let x = )\n          ^'), 1, 9],
      ['SyntaxError', expect.stringMatching(/^Type arguments; in a browser .*\n {2}\[1]\.map.*\n {11}\^$/), 1, 10],
      [true, true, true, true],
    ]);
  });

  test('functions travel; names that they do not bind are looked up on the engine', async () => {
    const seen = await inPage(async () => {
      await client.all.push({ base: 100 });
      const factor = 3;
      const plus = (n: number): number => n + 1;
      const { remote } = tutti;
      class Shape {
        area(): number {
          return 6;
        }
      }
      class Square extends Shape {}
      return [
        await client.all.apply((n: number) => Math.max(n, 0) + (globalThis as any).base, 1),
        await client.engine(2).apply(remote((n: number) => plus(n) * factor, { factor, plus }) as never, 1 as never),
        await client.all.map((n: number) => n * n, [1, 2, 3, 4, 5]),
        await client.all.map(Math.sqrt, [4, 9]),
        await client.engine(0).apply((C: typeof Square) => new C().area(), Square),
        await client.engine(0).wrap((a: string, b: string) => a + b)('x', 'y'),
        await client
          .engine(0)
          .apply(() => factor)
          .catch((e) => [e instanceof tutti.RemoteError, e.name, e.message]),
      ];
    });
    expect(seen).toEqual([
      [101, 101, 101, 101],
      6,
      [1, 4, 9, 16, 25],
      [2, 3],
      6,
      'xy',
      [true, 'ReferenceError', 'factor is not defined'],
    ]);
  });

  test('values: typed arrays, Maps, dates, large ones; scatter and gather', async () => {
    const seen = await inPage(async () => {
      const { all } = client;
      const data = Float64Array.from({ length: 1_000_000 }, (_, i) => i);
      await all.scatter('part', data);
      const gathered = await all.gather<Float64Array>('part');
      const sums = await all.execute('part.reduce((a, b) => a + b)');
      await all.push({ map: new Map([['a', new Date(5)]]), big: 2n ** 70n, zero: -0 });
      const [map, big, zero] = await client.engine(3).pull<[Map<string, Date>, bigint, number]>(['map', 'big', 'zero']);
      const node = await client.engine(0).execute("Buffer.from('tutti')");
      return [
        gathered instanceof Float64Array && gathered.length,
        gathered.every((value, i) => value === i),
        sums.length,
        map.get('a')?.getTime(),
        String(big),
        Object.is(zero, -0),
        node instanceof Uint8Array && [...node],
      ];
    });
    expect(seen).toEqual([1_000_000, true, 4, 5, String(2n ** 70n), true, [...Buffer.from('tutti')]]);
  });

  test('pending results as arguments: the page never sees them', async () => {
    const seen = await inPage(async () => {
      const before = client.traffic.received;
      const made = client.engine(0).apply(() => new Float64Array(1_000_000).fill(0.5));
      const sum = await client.engine(1).apply((half: Float64Array) => half.reduce((a, b) => a + b), made);
      const all = client.all.execute('engine.id');
      return [sum, client.traffic.received - before < 100_000, await client.engine(2).execute`${all}.length`];
    });
    expect(seen).toEqual([500_000, true, 4]);
  });

  test('errors keep class, engine, cause and fields', async () => {
    const seen = await inPage(async () => {
      const error: any = await client
        .engine(2)
        .execute("throw Object.assign(new RangeError('too far', { cause: 'why' }), { limit: 7 })")
        .catch((e) => e);
      const several: any = await client.all.execute("if (engine.id % 2) throw new TypeError('odd')").catch((e) => e);
      const lost: any = await client.all.apply((x: unknown) => x, document.body).catch((e) => e);
      return [
        [
          error instanceof tutti.RemoteError,
          error.code,
          error.name,
          error.message,
          error.engine,
          error.cause,
          error.limit,
        ],
        [several instanceof tutti.CompositeError, several.errors.map((e: any) => [e.name, e.engine])],
        [lost instanceof tutti.CannotTravelError, lost.name, lost.code, lost.path],
        await client.engine(0).apply((e: Error) => [e.name, e instanceof Error], new tutti.TimeoutError('late')),
      ];
    });
    expect(seen).toEqual([
      [true, 'REMOTE', 'RangeError', 'too far', 2, 'why', 7],
      [
        true,
        [
          ['TypeError', 1],
          ['TypeError', 3],
        ],
      ],
      [true, 'CannotTravelError', 'CANNOT_TRAVEL', 'args[0]'],
      ['TimeoutError', true],
    ]);
  });

  test('results are Deferreds where wanted, parts come as they finish, and cancel works', async () => {
    const seen = await inPage(async () => {
      const { all } = client;
      const chained = await all
        .execute('engine.id')
        .addCallback((ids) => ids.length)
        .addCallback((n) => n * 10);
      const parts: unknown[] = [];
      for await (const part of all.execute('engine.id + 1')) parts.push(part.status === 'fulfilled' && part.value);
      const never = client.engine(0).execute('await new Promise((r) => task.signal.addEventListener("abort", r))');
      await never.cancel('enough');
      const late = client
        .engine(1)
        .with({ timeout: 1 })
        .execute('await new Promise((r) => task.signal.addEventListener("abort", r))');
      return [chained, parts.length, await never.catch((e) => e.name), await late.catch((e) => e.code)];
    });
    expect(seen).toEqual([40, 4, 'CancelledError', 'TIMEOUT']);
  });

  test('what engines print is in the console of the page, with the engine', async () => {
    await inPage(() => client.all.execute("console.log('line of', engine.id); console.error('fault')"));
    const expected = [0, 1, 2, 3].flatMap((id) => [`log: [${id}] line of ${id}`, `error: [${id}] fault`]);
    expect(printed.filter((line) => /line of|fault/.test(line)).sort()).toEqual(expected.sort());
  });

  test('events tell of engines', async () => {
    const waiting = inPage(async () => {
      const joined = new Promise((resolve) => {
        const events = client.events$.subscribe((event) => {
          if (event.type !== 'engine-joined') return;
          events.unsubscribe();
          resolve(event.engine.id);
        });
      });
      await client.add(1);
      return joined;
    });
    const id = await waiting;
    expect(id).toBe(4);
    await inPage(() => client.remove([4]));
  });

  test('what needs files is refused with the reason', async () => {
    const reasons = await inPage(async () => {
      const said = (e: Error): string => `${e.name}: ${e.message}`;
      const attempt = (f: () => unknown): unknown => {
        try {
          return f();
        } catch (error) {
          return said(error as Error);
        }
      };
      return [
        await client.all.run('script.ts').then(String, said),
        attempt(() => tutti.remote(new URL('http://localhost/m.js'), 'f')),
        await client.all.apply(alert).then(String, said),
        await tutti.connect({ url: 'tcp://127.0.0.1:1', token: where.token }).then(String, said),
        await tutti.connect({} as never).then(String, said),
      ];
    });
    expect(reasons).toEqual([
      expect.stringMatching(/^UsageError: run bundles a script .* a browser cannot do/),
      expect.stringMatching(/^UsageError: remote\(url, name\) bundles a module, which a browser cannot do/),
      expect.stringMatching(/^CannotTravelError: cannot send function 'alert' .* native code/),
      expect.stringMatching(/^ClusterNotFoundError: .* No transport for 'tcp:'/),
      'UsageError: In a browser, connect takes the address and the token: connect({ url, token })',
    ]);
  });

  test('a wrong token is refused, and an address without a listener is not found', async () => {
    const codes = await inPage(async () => {
      const { urls, token } = where;
      const [url] = urls;
      const code = (e: { code: string; message: string }): string => `${e.code} ${e.message}`;
      const [id, secret] = token.split('.') as [string, string];
      const other = (secret[0] === '0' ? '1' : '0') + secret.slice(1);
      return [
        await tutti.connect({ url, token: `${id}.${other}` }).then(String, code),
        await tutti.connect({ url, token: `nobody.${secret}` }).then(String, code),
        await tutti.connect({ url, token: `${id}.xyz` }).then(String, code),
        await tutti.connect({ url: 'ws://127.0.0.1:9', token }).then(String, code),
      ];
    });
    expect(codes).toEqual([
      expect.stringMatching(/^REFUSED .*does not know the secret/),
      expect.stringMatching(/^REFUSED .*no key 'nobody'/),
      expect.stringMatching(/^REFUSED A malformed token/),
      expect.stringMatching(/^CLUSTER_NOT_FOUND /),
    ]);
  });

  test('a cut socket is dialled again: the call goes on, and nothing runs twice', async () => {
    const proxy = await cuttableProxy(() => home.connection.urls[0]!);
    const gate = await openGate();
    try {
      await home.engine(0).push({ pass, runs: 0 });
      const result = page.evaluate(
        async ([url, port]) => {
          const second = await tutti.connect({ url: url!, token: where.token });
          const value = await second.engine(0).execute(`runs++; await pass(${port}, 'page'); runs`);
          await second.close();
          return value;
        },
        [proxy.url.replace('tcp:', 'ws:'), gate.port] as [string, number],
      );
      await gate.arrived('page');
      proxy.cut();
      gate.open('page');
      expect(await result).toBe(1);
      expect(proxy.connections).toBeGreaterThan(1);
    } finally {
      await proxy.close();
      await gate.close();
    }
  });

  test('a page that leaves is gone', async () => {
    const other = await browser.newPage();
    await other.goto(site.origin);
    await other.waitForSelector('hr');
    const clients = (await home.status()).clients;
    await other.evaluate(() => client.close());
    expect((await home.status()).clients).toBe(clients - 1);
    await other.close();
  });

  test('a failure that nobody looks at is an unhandled rejection of the page, and there was no other', async () => {
    const told = page.waitForEvent('pageerror');
    await inPage(() => void client.engine(0).execute("throw new Error('nobody looks')"));
    expect((await told).message).toBe('nobody looks');
    expect(printed.filter((line) => line.startsWith('uncaught'))).toEqual(['uncaught: nobody looks']);
  });
});
