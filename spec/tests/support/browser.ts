/** A real browser, and a server for its pages. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const root = path.resolve(import.meta.dirname, '../../..');
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Why the tests that need a browser are left out; undefined where they are not. */
export const noBrowser = existsSync(executablePath)
  ? undefined
  : `no browser at ${executablePath}: apt-get install chromium, or say where one is in CHROMIUM`;

const QUIET = 'no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-component-update';

export function openBrowser(): Promise<Browser> {
  const args = `${QUIET} disable-sync`.split(' ').map((name) => `--${name}`);
  return chromium.launch({ executablePath, args });
}

export interface Site {
  readonly origin: string;
  close(): Promise<void>;
}

/** Serves these pages and scripts by path, and the package as `/tutti.js`. */
export async function serve(pages: Record<string, string>): Promise<Site> {
  const server = createServer(({ url = '' }, response) => {
    const text = url === '/tutti.js' ? readFileSync(path.join(root, 'dist/browser.js')) : pages[url];
    const type = url.endsWith('.js') ? 'text/javascript' : 'text/html';
    response.writeHead(text === undefined ? 404 : 200, { 'content-type': `${type}; charset=utf-8` }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Where a test leaves a file for people to look at. */
export function outputFile(name: string): string {
  const folder = path.join(root, 'spec/output');
  mkdirSync(folder, { recursive: true });
  return path.join(folder, name);
}
