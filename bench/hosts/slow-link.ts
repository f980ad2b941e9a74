/** A link as between machines that are far apart: a TCP relay that takes its time, carries only so much, and can be cut one way. */
import net from 'node:net';

export interface LinkOptions {
  /** Where it listens; default 127.0.0.1. */
  readonly host?: string;
  /** ms that each byte is under way. */
  readonly delay?: number;
  /** ms that it may take longer; what has left later does not arrive earlier. */
  readonly jitter?: number;
  /** Bytes a second, in each direction of each connection. */
  readonly rate?: number;
}

/** there: from who dials to who listens. */
export type Direction = 'there' | 'back';

export interface SlowLink {
  /** Where to dial in place of the listener. */
  readonly url: string;
  /** Connections so far. */
  readonly connections: number;
  /** Nothing arrives in these directions any more, and nobody is told, as where packets get lost. Both, unless told otherwise. */
  cut(...directions: Direction[]): void;
  /** What was sent meanwhile arrives, as if it had been sent again. */
  restore(): void;
  close(): Promise<void>;
}

/** Bytes under way in one direction before the sender has to wait. */
const WINDOW = 4 << 20;

/** @param target `tcp://host:port`, or of whatever scheme TCP carries */
export async function slowLink(target: () => string, options: LinkOptions = {}): Promise<SlowLink> {
  const cut = new Set<Direction>();
  const lanes = new Set<Lane>();
  const { host = '127.0.0.1' } = options;
  let connections = 0;
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    connections++;
    const { hostname, port } = new URL(target());
    const far = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
    const pair = [
      new Lane(near, far, options, () => cut.has('there')),
      new Lane(far, near, options, () => cut.has('back')),
    ];
    for (const lane of pair) lanes.add(lane);
    for (const socket of [near, far])
      socket
        .on('error', () => {})
        .on('close', () => {
          near.destroy();
          far.destroy();
          for (const lane of pair) lanes.delete(lane);
        });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    url: `${new URL(target()).protocol}//${host}:${port}`,
    get connections() {
      return connections;
    },
    cut(...directions) {
      for (const direction of directions.length ? directions : (['there', 'back'] as const)) cut.add(direction);
    },
    restore() {
      cut.clear();
      for (const lane of lanes) lane.pump();
    },
    close() {
      for (const lane of lanes) lane.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

interface Leg {
  readonly due: number;
  /** Undefined: the end. */
  readonly bytes: Buffer | undefined;
}

/** One direction of one connection. */
class Lane {
  readonly #from: net.Socket;
  readonly #to: net.Socket;
  readonly #options: LinkOptions;
  readonly #cut: () => boolean;
  readonly #under: Leg[] = [];
  #bytes = 0;
  /** When what has come so far has left, where only so much leaves at a time; and when the last of it arrives. */
  #left = 0;
  #arrives = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: net.Socket, to: net.Socket, options: LinkOptions, cut: () => boolean) {
    this.#from = from;
    this.#to = to;
    this.#options = options;
    this.#cut = cut;
    from.on('data', (bytes) => this.#take(bytes)).on('end', () => this.#take(undefined));
    to.on('drain', () => this.pump()).on('close', () => clearTimeout(this.#timer));
  }

  #take(bytes: Buffer | undefined): void {
    const { delay = 0, jitter = 0, rate = Number.POSITIVE_INFINITY } = this.#options;
    const size = bytes?.length ?? 0;
    this.#left = Math.max(this.#left, performance.now()) + (size * 1e3) / rate;
    this.#arrives = Math.max(this.#arrives, this.#left + delay + jitter * Math.random());
    this.#under.push({ due: this.#arrives, bytes });
    this.#bytes += size;
    if (this.#bytes > WINDOW) this.#from.pause();
    this.pump();
  }

  /** Hands over what has arrived by now. */
  pump(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    while (this.#under.length && !this.#cut() && !this.#to.writableNeedDrain) {
      const { due, bytes } = this.#under[0]!;
      if (due > now) {
        this.#timer = setTimeout(() => this.pump(), due - now);
        return;
      }
      this.#under.shift();
      if (bytes) this.#to.write(bytes);
      else this.#to.end();
      this.#bytes -= bytes?.length ?? 0;
      if (this.#bytes <= WINDOW) this.#from.resume();
    }
  }

  destroy(): void {
    this.#from.destroy();
  }
}
