/** Whose pages get in, and a page of its own server: the example. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser } from 'playwright-core';
import { cluster } from 'tutti';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type * as TuttiInPage from '../../browser.ts';
import { noBrowser, openBrowser, type Site, serve } from './support/browser.ts';

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

/** What a page of this site gets to hear when it connects. */
async function said(site: Site, where: { urls: readonly string[]; token: string }, trusting = false): Promise<string> {
  const context = await browser.newContext({ ignoreHTTPSErrors: trusting });
  const page = await context.newPage();
  await page.goto(site.origin);
  await page.waitForSelector('hr');
  const answer = await page.evaluate(
    async ({ urls, token }) => {
      const client = await tutti.connect({ urls, token }).catch((e) => `${e.code} ${e.message}`);
      if (typeof client === 'string') return client;
      const [id] = await client.all.execute('engine.id');
      await client.close();
      return `engine ${id}`;
    },
    { urls: where.urls, token: where.token },
  );
  await context.close();
  return answer;
}

test.skipIf(noBrowser)('pages of listed origins get in, others do not, whatever token they have', async () => {
  const listed = await serve({ '/': PAGE });
  const other = await serve({ '/': PAGE });
  const home = await cluster({ engines: 1, kind: 'thread', listen: ['ws://127.0.0.1:0'], origins: [listed.origin] });
  try {
    expect(await said(listed, home.connection)).toBe('engine 0');
    expect(await said(other, home.connection)).toMatch(
      new RegExp(`^CLUSTER_NOT_FOUND .* does not let pages of ${other.origin} in`),
    );
  } finally {
    await home.close();
    await listed.close();
    await other.close();
  }
});

test.skipIf(noBrowser)('wss: the browser, not the connection file, says whether a certificate is trusted', async () => {
  const site = await serve({ '/': PAGE });
  const home = await cluster({ engines: 1, kind: 'thread', listen: ['wss://127.0.0.1:0'], origins: [site.origin] });
  try {
    expect(await said(site, home.connection, true)).toBe('engine 0');
    expect(await said(site, home.connection)).toMatch(/^CLUSTER_NOT_FOUND .* its certificate is not trusted/);
  } finally {
    await home.close();
    await site.close();
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
