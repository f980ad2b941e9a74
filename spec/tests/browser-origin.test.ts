/** Whose pages get in, and a page of its own server: the example. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser } from 'playwright-core';
import { cluster } from 'tutti';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type * as TuttiInPage from '../../browser.ts';
import { noBrowser, openBrowser, serve } from './support/browser.ts';

declare const tutti: typeof TuttiInPage;

const PAGE = `<script type="module">
  globalThis.tutti = await import('/tutti.js');
  document.body.append(document.createElement('hr'));
</script>`;

if (noBrowser) console.warn(`Tests in a browser are skipped: ${noBrowser}`);
let browser: Browser;
beforeAll(async () => {
  if (!noBrowser) browser = await openBrowser();
});
afterAll(() => browser?.close());

test.skipIf(noBrowser)('pages of listed origins get in, others do not, whatever token they have', async () => {
  const sites = await Promise.all([serve({ '/': PAGE }), serve({ '/': PAGE })]);
  const home = await cluster({ engines: 1, kind: 'thread', listen: ['ws://127.0.0.1:0'], origins: [sites[0]!.origin] });
  try {
    const { urls, token } = home.connection;
    const said: string[] = [];
    for (const { origin } of sites) {
      const page = await browser.newPage();
      await page.goto(origin);
      await page.waitForSelector('hr');
      said.push(
        await page.evaluate(
          async (where) => {
            const client = await tutti.connect(where).catch((e) => `${e.code} ${e.message}`);
            if (typeof client === 'string') return client;
            const [id] = await client.all.execute('engine.id');
            await client.close();
            return `engine ${id}`;
          },
          { urls, token },
        ),
      );
      await page.close();
    }
    expect(said).toEqual(['engine 0', expect.stringContaining(`does not let pages of ${sites[1]!.origin} in`)]);
    expect(said[1]).toMatch(/^CLUSTER_NOT_FOUND /);
  } finally {
    await home.close();
    for (const site of sites) await site.close();
  }
});

test.skipIf(noBrowser)('examples/browser: engines throw darts when a button is pressed', async () => {
  const root = path.resolve(import.meta.dirname, '../..');
  const server = spawn(process.execPath, ['examples/browser/server.mjs'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [address] = /http:\S+/.exec(await firstLine(server)) ?? [];
    const page = await browser.newPage();
    await page.goto(address!);
    await page.click('button:enabled');
    await page.waitForFunction("document.querySelector('pre').textContent.includes('pi is')");
    const lines = (await page.textContent('pre'))!.split('\n');
    expect(lines).toHaveLength(5);
    expect(
      lines
        .slice(0, 4)
        .map((line) => line.slice(0, 8))
        .sort(),
    ).toEqual([0, 1, 2, 3].map((id) => `engine ${id}`));
    expect(lines[4]).toMatch(/^pi is about 3\.1[345]$/);
    await page.close();
  } finally {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGINT');
    await ended;
  }
});

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: stdout! })) return line;
  throw new Error('It ended without a word');
}
