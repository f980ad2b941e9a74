/** Direct channels between engines. A ticket from the controller opens one; it then stays open for further fetches. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { ProtocolError, ValueLostError } from '../errors.ts';
import type { Need } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { type Early, greet, parseToken } from '../wire/handshake.ts';
import { type RequestHandler, Rpc } from '../wire/rpc.ts';
import { Session } from '../wire/session.ts';
import { Strangers } from '../wire/strangers.ts';
import { type Connection, dial, type Listener, listen } from '../wire/transport.ts';

export interface Ticket {
  token: string;
  scheme: 'thread' | 'unix' | 'tcp';
  /** For `unix`: where the socket may lie. */
  dir?: string;
}

/** ms for a connection to an engine that may be ending. */
const DIAL_PATIENCE = 10_000;
/** ms within which a ticket must be used. */
const TICKET_LIFE = 30_000;
/** Connections at a time that have not shown a ticket. */
const STRANGERS = 64;

export class Peers {
  /** By engine and incarnation: the end of an old one's may not have been noticed when the new one has a value. */
  #channels = new Map<string, Promise<Rpc>>();
  #listeners = new Map<string, Promise<Listener>>();
  #tickets = new Map<string, { secret: string; until: number }>();
  #strangers = new Strangers(STRANGERS);
  #serve: Record<string, RequestHandler>;
  #ask: (engine: number) => Promise<{ url: string; token: string }>;

  constructor(options: {
    ask(engine: number): Promise<{ url: string; token: string }>;
    serve: Record<string, RequestHandler>;
  }) {
    this.#ask = options.ask;
    this.#serve = options.serve;
  }

  /** Another engine will come with this ticket: listens where it can, and says where. */
  async admit({ token, scheme, dir }: Ticket): Promise<string> {
    const { id, secret } = parseToken(token);
    const now = performance.now();
    // They expire in the order in which they came.
    for (const [old, { until }] of this.#tickets) {
      if (until > now) break;
      this.#tickets.delete(old);
    }
    this.#tickets.set(id, { secret, until: now + TICKET_LIFE });
    const name = `engine-${randomBytes(6).toString('hex')}`;
    const url = {
      thread: `thread:${name}`,
      unix: `unix:${path.join(dir ?? '', `${name}.sock`)}`,
      tcp: 'tcp://127.0.0.1:0',
    }[scheme];
    let listener = this.#listeners.get(scheme);
    if (!listener) {
      listener = listen(url, (connection) => void this.#accept(connection));
      this.#listeners.set(scheme, listener);
      listener.catch(() => this.#listeners.delete(scheme)); // the next ticket tries again
    }
    return (await listener).url;
  }

  /** Fetches a result from the engine that made it, waiting there until it is made. */
  async fetch(engine: number, need: Need): Promise<Payload[]> {
    const name = `${engine}.${need.incarnation}`;
    let channel = this.#channels.get(name);
    if (!channel) {
      channel = this.#open(engine, () => this.#channels.delete(name));
      this.#channels.set(name, channel);
      channel.catch(() => this.#channels.delete(name));
    }
    return (await channel).request('peek', { needs: [need] });
  }

  async #open(engine: number, onEnd: () => void): Promise<Rpc> {
    const { url, token } = await this.#ask(engine);
    const connection = await dial(url, { signal: AbortSignal.timeout(DIAL_PATIENCE) });
    const welcome = await greet(connection, { role: 'peer', key: parseToken(token), about: {} });
    return this.#talk(welcome.session, connection, onEnd, welcome.early);
  }

  async #accept(connection: Connection): Promise<void> {
    const guest = await this.#strangers.meet(connection, async (id) => {
      const ticket = this.#tickets.get(id);
      this.#tickets.delete(id); // good once
      return ticket && ticket.until > performance.now() ? { secret: ticket.secret, roles: ['peer'] } : undefined;
    });
    if (!guest) return; // turned away, and told why
    guest.welcome({ session: guest.key, resumed: false, received: 0, about: {} });
    this.#talk(guest.key, connection, () => {});
  }

  #talk(id: string, connection: Connection, onEnd: () => void, early?: Early): Rpc {
    const end = (reason: string): void => {
      session.abandon(reason);
      rpc.fail(new ValueLostError(`The engine that held the value was lost: ${reason}`));
      onEnd();
    };
    const session = new Session(id, {
      message: (header, payloads) => {
        if (rpc.receive(header, payloads)) return;
        throw new ProtocolError(`An engine sent another one a message of kind ${header.kind}`);
      },
      disconnected: end,
      ended: end,
    });
    const rpc = new Rpc((header, payloads, owned) => session.send(header, payloads, owned), this.#serve);
    session.attach(connection, 0, early);
    return rpc;
  }
}
