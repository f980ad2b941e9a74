/** A turnstile between a test and code on engines: the code waits in it until the test lets it pass. */
import { createServer, connect as dial, type Socket } from 'node:net';

export interface Gate {
  readonly port: number;
  /** Resolves when code on an engine waits under this key. */
  arrived(key: string | number): Promise<void>;
  /** Lets whoever waits under this key pass, or comes later. */
  open(key: string | number): void;
  close(): Promise<void>;
}

export async function openGate(): Promise<Gate> {
  const waiting = new Map<string, Socket[]>();
  const opened = new Set<string>();
  const watchers = new Set<() => void>();
  const server = createServer((socket) => {
    socket.setEncoding('utf8').on('error', () => {});
    socket.once('data', (key: string) => {
      if (opened.has(key)) return void socket.end('pass');
      waiting.set(key, [...(waiting.get(key) ?? []), socket]);
      for (const look of watchers) look();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    arrived: (key) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!waiting.has(String(key))) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    open(key) {
      opened.add(String(key));
      for (const socket of waiting.get(String(key)) ?? []) socket.end('pass');
    },
    async close() {
      for (const socket of [...waiting.values()].flat()) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Runs on engines. Rejects when the test has closed the gate. */
export function pass(port: number, key: string | number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = dial(port, '127.0.0.1', () => socket.write(String(key)));
    socket.once('data', () => resolve());
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`The gate was closed while '${key}' waited in it`)));
  });
}
