/** A page in a real browser as a client. What stands in `inPage(…)` runs there, with `tutti`, `client` and `where` as globals. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import type { Client } from 'tutti';
import { expect, test } from 'vitest';
import type * as TuttiInPage from '../../browser.ts';
import { children, type Node, statementsOf } from '../../core/functions/syntax.ts';
import { cuttableProxy } from './cuttable-proxy.ts';
import { noBrowser, outputFile } from './support/browser.ts';
import { openGate, pass } from './support/gate.ts';
import { openPage, pageClient } from './support/page-client.ts';

declare const alert: () => void;
declare const Worker: new (
  url: string,
  options: { type: 'module' },
) => { onmessage(event: { data: unknown }): void; postMessage(value: unknown): void };
declare const client: Client;
declare const tutti: typeof TuttiInPage;
declare const where: { urls: [string]; token: string };

const there = pageClient();
const inPage: Page['evaluate'] = (...args: [any]) => there.page.evaluate(...args);

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

test.skipIf(noBrowser)('a page shows what four engines say', async () => {
  expect(await there.page.textContent('pre')).toBe('[0] 42\n[1] 43\n[2] 44\n[3] 45');
  const file = outputFile('browser.png');
  await there.page.screenshot({ path: file });
  console.log(`Screenshot: ${file}`);
});

test.skipIf(noBrowser)('a page that forbids eval can be a client', async () => {
  const strict = await openPage(there, '/strict');
  expect(await there.page.getAttribute('body', 'data-eval')).toBe('2');
  expect(await strict.getAttribute('body', 'data-eval')).toBe(null);
  expect(await strict.textContent('pre')).toBe('[0] 42\n[1] 43\n[2] 44\n[3] 45');
  await strict.close();
});

test.skipIf(noBrowser)('so can a worker of a page', async () => {
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

test.skipIf(noBrowser)('what engines print is in the console of the page, with the engine', async () => {
  await inPage(() => client.all.execute("console.log('line of', engine.id); console.error('fault')"));
  const expected = [0, 1, 2, 3].flatMap((id) => [`log: [${id}] line of ${id}`, `error: [${id}] fault`]);
  expect(there.printed.filter((line) => /line of|fault/.test(line)).sort()).toEqual(expected.sort());
});

test.skipIf(noBrowser)('events tell of engines', async () => {
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

test.skipIf(noBrowser)('what needs files is refused with the reason', async () => {
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

test.skipIf(noBrowser)('a wrong token is refused, and an address without a listener is not found', async () => {
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

test.skipIf(noBrowser)('a cut socket is dialled again: the call goes on, and nothing runs twice', async () => {
  const proxy = await cuttableProxy(() => there.home.connection.urls[0]!);
  const gate = await openGate();
  try {
    await there.home.engine(0).push({ pass, runs: 0 });
    const result = there.page.evaluate(
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

test.skipIf(noBrowser)('a page that leaves is gone', async () => {
  const other = await openPage(there);
  const clients = (await there.home.status()).clients;
  await other.evaluate(() => client.close());
  expect((await there.home.status()).clients).toBe(clients - 1);
  await other.close();
});

test.skipIf(noBrowser)(
  'a failure that nobody looks at is an unhandled rejection of the page, and there was no other',
  async () => {
    const told = there.page.waitForEvent('pageerror');
    await inPage(() => void client.engine(0).execute("throw new Error('nobody looks')"));
    expect((await told).message).toBe('nobody looks');
    expect(there.printed.filter((line) => line.startsWith('uncaught'))).toEqual(['uncaught: nobody looks']);
  },
);
