/** `GET /metrics` over HTTP, and nothing else there. It tells numbers and names of operations, to whoever can reach it. */
import { createServer, type Server } from 'node:http';
import { TransportError, UsageError } from '../errors.ts';
import { isLoopback } from '../wire/loopback.ts';
import type { MetricsText } from './metrics-text.ts';

export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * @param address `HOST:PORT`; port 0 takes a free one
 * @throws UsageError for an address that makes no sense, or that others reach without `insecure`; TransportError when it is taken
 */
export async function serveMetrics(address: string, insecure: boolean, text: MetricsText): Promise<MetricsServer> {
  const { host, port } = parse(address);
  if (!insecure && !isLoopback(host))
    throw new UsageError(
      `Metrics on ${address} can be read by other machines, without a password or encryption; use 127.0.0.1, or say 'insecure' if the network is yours alone`,
    );
  const server = createServer((request, response) => {
    const [path] = request.url?.split('?') ?? []; // not by `URL`, which throws at some of what others may send
    const status = path !== '/metrics' ? 404 : request.method !== 'GET' && request.method !== 'HEAD' ? 405 : 200;
    if (status !== 200) return void response.writeHead(status, { allow: 'GET' }).end();
    text.read().then(
      (body) => response.writeHead(200, { 'content-type': text.contentType }).end(body),
      (error: Error) => response.writeHead(500).end(`${error.message}\n`),
    );
  });
  await listening(server, host, port, address);
  const at = server.address() as { port: number };
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${at.port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function parse(address: string): { host: string; port: number } {
  const [, six, other, port] = /^(?:\[([\da-f:]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(String(address)) ?? [];
  if (port === undefined || Number(port) > 65_535)
    throw new UsageError(`metrics is HOST:PORT, e.g. 127.0.0.1:9464; got '${address}'`);
  return { host: six ?? other!, port: Number(port) };
}

function listening(server: Server, host: string, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Later, a failed accept (too many open files) concerns one dialler, who sees it.
    server.on('error', (cause) =>
      reject(new TransportError(`Metrics cannot be served on ${address}: ${cause.message}`, { cause })),
    );
    server.listen(port, host, resolve);
  });
}
