/** Direct channels between engines. A ticket from the controller opens one; it then stays open for further fetches. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { ValueLostError } from '../errors.ts';
import type { Need } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { type Early, greet, meet, parseToken } from '../wire/handshake.ts';
import { type RequestHandler, Rpc } from '../wire/rpc.ts';
import { Session } from '../wire/session.ts';
import { type Connection, dial, type Listener, listen } from '../wire/transport.ts';

export interface Ticket {
  token: string;
  scheme: 'thread' | 'unix' | 'tcp';
  /** For `unix`: where the socket may lie. */
  dir?: string;
}

export class Peers {
  #channels = new Map<number, Promise<Rpc>>();
  #listeners = new Map<string, Promise<Listener>>();
  #tickets = new Map<string, string>();
  #serve: Record<string, RequestHandler>;
  #sessions = new Set<Session>();
  #past = { sent: 0, received: 0 };
  #ask: (engine: number) => Promise<{ url: string; token: string }>;

  constructor(options: {
    ask(engine: number): Promise<{ url: string; token: string }>;
    serve: Record<string, RequestHandler>;
  }) {
    this.#ask = options.ask;
    this.#serve = options.serve;
  }

  /** Bytes, of all channels there have been. */
  get traffic(): { sent: number; received: number } {
    let { sent, received } = this.#past;
    for (const { bytesSent, bytesReceived } of this.#sessions) {
      sent += bytesSent;
      received += bytesReceived;
    }
    return { sent, received };
  }

  /** Another engine will come with this ticket: listens where it can, and says where. */
  async admit({ token, scheme, dir }: Ticket): Promise<string> {
    const { id, secret } = parseToken(token);
    this.#tickets.set(id, secret);
    const name = `engine-${randomBytes(6).toString('hex')}`;
    const url = {
      thread: `thread:${name}`,
      unix: `unix:${path.join(dir ?? '', `${name}.sock`)}`,
      tcp: 'tcp://127.0.0.1:0',
    }[scheme];
    let listener = this.#listeners.get(scheme);
    if (!listener) this.#listeners.set(scheme, (listener = listen(url, (connection) => void this.#accept(connection))));
    return (await listener).url;
  }

  /** Fetches a result from the engine that made it, waiting there until it is made. */
  async fetch(engine: number, need: Need): Promise<Payload[]> {
    let channel = this.#channels.get(engine);
    if (!channel) {
      channel = this.#open(engine);
      this.#channels.set(engine, channel);
      channel.catch(() => this.#channels.delete(engine));
    }
    return (await channel).request('peek', { needs: [need] });
  }

  async #open(engine: number): Promise<Rpc> {
    const { url, token } = await this.#ask(engine);
    const connection = await dial(url);
    const welcome = await greet(connection, { role: 'peer', key: parseToken(token), about: {} });
    return this.#talk(welcome.session, connection, () => this.#channels.delete(engine), welcome.early);
  }

  async #accept(connection: Connection): Promise<void> {
    try {
      const guest = await meet(connection, async (id) => {
        const secret = this.#tickets.get(id);
        this.#tickets.delete(id); // good once
        return secret === undefined ? undefined : { secret, roles: ['peer'] };
      });
      guest.welcome({ session: guest.key, resumed: false, received: 0, about: {} });
      this.#talk(guest.key, connection, () => {});
    } catch {
      // turned away, and told why
    }
  }

  #talk(id: string, connection: Connection, onEnd: () => void, early?: Early): Rpc {
    const end = (reason: string): void => {
      session.abandon(reason);
      this.#past.sent += session.bytesSent;
      this.#past.received += session.bytesReceived;
      this.#sessions.delete(session);
      rpc.fail(new ValueLostError(`The engine that held the value was lost: ${reason}`));
      onEnd();
    };
    const session = new Session(id, {
      message: (header, payloads) => void rpc.receive(header, payloads),
      disconnected: end,
      ended: end,
    });
    const rpc = new Rpc((header, payloads, owned) => session.send(header, payloads, owned), this.#serve);
    this.#sessions.add(session);
    session.attach(connection, 0, early);
    return rpc;
  }
}
