/** A page's transport, over the WebSocket of the package `ws`, which is made after the browsers'. */
import { afterAll, beforeAll, test } from 'vitest';
import { WebSocket } from 'ws';
import { webSocket } from '../../browser/web-socket.ts';
import { ws } from '../../transports/index.ts';
import { transportCompliance } from '../compliance/transport.ts';

/** An error that nobody listens to is nothing to a browser. */
class PageSocket extends WebSocket {
  constructor(url: string) {
    super(url);
    this.on('error', () => {});
  }
}

const inPage = globalThis as Record<string, unknown>;
const before = { WebSocket: inPage.WebSocket, location: inPage.location };
beforeAll(() => void Object.assign(inPage, { WebSocket: PageSocket, location: { origin: 'http://127.0.0.1' } }));
afterAll(() => void Object.assign(inPage, before));

const transport = { schemes: ['ws'], listen: ws().listen, dial: webSocket().dial };
transportCompliance({ transport, url: () => 'ws://127.0.0.1:0' }, { test });
