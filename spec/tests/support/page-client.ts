/** A cluster of four engines and a page in a real browser that is its client, for all tests of a file. */
import type { Browser, Page } from 'playwright-core';
import { type Cluster, cluster } from 'tutti';
import { afterAll, beforeAll } from 'vitest';
import { noBrowser, openBrowser, type Site, serve } from './browser.ts';

export interface PageClient {
  home: Cluster;
  browser: Browser;
  site: Site;
  /** Has the globals `tutti`, `where` and `client`. */
  page: Page;
  /** What the page has printed or not caught. */
  readonly printed: string[];
}

/** `/`: shows what its engines say, and then a line. `/strict`: the same where eval is forbidden. `/worker.js`: a client on its own. */
function pagesOf({ connection: { urls, token } }: Cluster): Record<string, string> {
  const shown = (head: string): string => `
    <!doctype html><title>tutti</title>${head}<h1>Four engines</h1><pre></pre>
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
  return {
    '/': shown(''),
    '/strict': shown(`<meta http-equiv="Content-Security-Policy" content="script-src 'self' 'unsafe-inline'">`),
    '/worker.js': `
      import { connect } from '/tutti.js';
      onmessage = async ({ data }) => {
        const client = await connect(data);
        postMessage(await client.all.execute('engine.id'));
        await client.close();
      };`,
  };
}

/** Filled before the file's tests, where there is a browser. */
export function pageClient(): PageClient {
  const there = { printed: [] as string[] } as PageClient;
  if (noBrowser) {
    console.warn(`Tests in a browser are skipped: ${noBrowser}`);
    return there;
  }
  beforeAll(async () => {
    const pages: Record<string, string> = {};
    there.site = await serve(pages);
    there.home = await cluster({
      engines: 4,
      listen: ['ws://127.0.0.1:0'],
      origins: [there.site.origin],
      output: 'ignore',
    });
    Object.assign(pages, pagesOf(there.home));
    there.browser = await openBrowser();
    there.page = await openPage(there);
    there.page.on('console', (message) => there.printed.push(`${message.type()}: ${message.text()}`));
    there.page.on('pageerror', (error) => there.printed.push(`uncaught: ${error.message}`));
  });
  afterAll(async () => {
    await there.browser?.close();
    await there.site?.close();
    await there.home?.close();
  });
  return there;
}

/** Another page, when it has shown what its engines say. */
export async function openPage({ browser, site }: PageClient, path = '/'): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(site.origin + path);
  await page.waitForSelector('hr');
  return page;
}
