import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** Who listens under which name in this process, and how a dialled port gets there. */
interface Broker {
  /** False if the name is taken. */
  listen(name: string, accept: Accept): Promise<boolean>;
  unlisten(name: string): void;
  /** Routes `port` to whoever listens; closes it if nobody does. */
  dial(name: string, port: MessagePort): void;
  /** `port` leads to one more thread that takes part. */
  join(port: MessagePort): void;
}

type Accept = (port: MessagePort) => void;

type Request =
  | { kind: 'listen'; name: string; id: number }
  | { kind: 'unlisten'; name: string }
  | { kind: 'dial'; name: string; port: MessagePort }
  | { kind: 'join'; port: MessagePort };

type Notice = { kind: 'listening'; id: number; ok: boolean } | { kind: 'dialled'; name: string; port: MessagePort };

/** The registry: in the thread that joined no other, usually the main one. */
class RootBroker implements Broker {
  readonly #listeners = new Map<string, Accept>();

  async listen(name: string, accept: Accept): Promise<boolean> {
    return this.#add(name, accept);
  }

  unlisten(name: string): void {
    this.#listeners.delete(name);
  }

  dial(name: string, port: MessagePort): void {
    const accept = this.#listeners.get(name);
    if (accept) accept(port);
    else port.close();
  }

  join(port: MessagePort): void {
    const names = new Set<string>();
    port.on('message', (request: Request) => {
      if (request.kind === 'listen') {
        const { name, id } = request;
        const ok = this.#add(name, (dialled) => post(port, { kind: 'dialled', name, port: dialled }, dialled));
        if (ok) names.add(name);
        post(port, { kind: 'listening', id, ok });
      } else if (request.kind === 'unlisten') {
        if (names.delete(request.name)) this.unlisten(request.name);
      } else if (request.kind === 'dial') this.dial(request.name, request.port);
      else this.join(request.port);
    });
    // The thread has ended, and what it listened on with it.
    port.on('close', () => {
      for (const name of names) this.unlisten(name);
    });
    port.unref();
  }

  #add(name: string, accept: Accept): boolean {
    if (this.#listeners.has(name)) return false;
    this.#listeners.set(name, accept);
    return true;
  }
}

/** In every other thread: asks the root. */
class LeafBroker implements Broker {
  readonly #root: MessagePort;
  readonly #listeners = new Map<string, Accept>();
  readonly #asked = new Map<number, (ok: boolean) => void>();
  #lastId = 0;

  constructor(root: MessagePort) {
    this.#root = root;
    root.on('message', (notice: Notice) => {
      if (notice.kind === 'listening') {
        this.#asked.get(notice.id)?.(notice.ok);
        this.#asked.delete(notice.id);
        return;
      }
      const accept = this.#listeners.get(notice.name);
      if (accept) accept(notice.port);
      else notice.port.close();
    });
    root.unref();
  }

  async listen(name: string, accept: Accept): Promise<boolean> {
    const id = ++this.#lastId;
    const answer = new Promise<boolean>((resolve) => this.#asked.set(id, resolve));
    // Named before the answer, because a dialled port may come right behind it. An own name is never taken over.
    const taken = this.#listeners.has(name);
    if (!taken) this.#listeners.set(name, accept);
    post(this.#root, { kind: 'listen', name, id });
    this.#root.ref();
    const ok = await answer;
    if (!ok && !taken) this.#listeners.delete(name);
    this.#unrefIfIdle();
    return ok;
  }

  unlisten(name: string): void {
    this.#listeners.delete(name);
    post(this.#root, { kind: 'unlisten', name });
    this.#unrefIfIdle();
  }

  dial(name: string, port: MessagePort): void {
    post(this.#root, { kind: 'dial', name, port }, port);
  }

  join(port: MessagePort): void {
    post(this.#root, { kind: 'join', port }, port);
  }

  /** A thread that listens stays alive for it, as with any server; one that does not is free to end. */
  #unrefIfIdle(): void {
    if (this.#listeners.size === 0 && this.#asked.size === 0) this.#root.unref();
  }
}

function post(port: MessagePort, message: Request | Notice, ...transfer: MessagePort[]): void {
  port.postMessage(message, transfer);
}

let current: Broker = new RootBroker();

export function broker(): Broker {
  return current;
}

/** A port for one new worker: put it into `workerData` and the `transferList`; the worker calls `joinBroker` with it. */
export function brokerPort(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  current.join(port1);
  return port2;
}

/** Makes `thread:` addresses of the whole process reachable in this worker. Call it before listening or dialling. */
export function joinBroker(port: MessagePort): void {
  current = new LeafBroker(port);
}
