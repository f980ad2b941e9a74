/** A TCP relay whose connections a test can cut, as a network does. */
import net from 'node:net';

export interface CuttableProxy {
  readonly url: string;
  /** Connections relayed so far. */
  readonly connections: number;
  /** Resets every connection; new ones are relayed again. */
  cut(): void;
  /** Relays nothing any more, without a word, on those that are open, and on new ones unless told otherwise. */
  freeze(options?: { only: 'open ones' }): void;
  /** Refuses new connections until `restore`. */
  block(): void;
  restore(): void;
  close(): Promise<void>;
}

export async function cuttableProxy(target: () => string): Promise<CuttableProxy> {
  const open = new Set<net.Socket>();
  let connections = 0;
  let blocked = false;
  let frozen = false;
  const server = net.createServer((near) => {
    if (blocked) return near.destroy();
    connections++;
    if (frozen) {
      open.add(near.on('error', () => {}));
      return;
    }
    const { hostname, port } = new URL(target());
    const far = net.connect(Number(port), hostname);
    for (const [a, b] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(a);
      a.pipe(b);
      a.on('error', () => b.destroy());
      a.on('close', () => {
        open.delete(a);
        b.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of open) socket.resetAndDestroy();
  };
  return {
    url: `tcp://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    get connections() {
      return connections;
    },
    cut,
    freeze: (options) => {
      frozen = !options;
      for (const socket of open) socket.unpipe().pause().removeAllListeners('data');
    },
    block: () => {
      blocked = true;
      cut();
    },
    restore: () => {
      blocked = false;
    },
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
