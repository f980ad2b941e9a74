/**
 * Direct channels between engines. A ticket from the controller opens one, in one direction or the other; it then serves both,
 * for results that are fetched and for what halves of paradigms say to each other.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { EngineLostError, ProtocolError, TransportError, ValueLostError } from '../errors.ts';
import type { Exchange } from '../paradigm/exchange.ts';
import { type Need, pack, unpack } from '../wire/envelope.ts';
import type { Payload } from '../wire/forms.ts';
import { type Early, type Guest, greet, parseToken } from '../wire/handshake.ts';
import { type RequestHandler, Rpc } from '../wire/rpc.ts';
import { Session } from '../wire/session.ts';
import { Strangers } from '../wire/strangers.ts';
import { type Connection, dial, type Listener, listen } from '../wire/transport.ts';
import { type Certify, Identities } from './identities.ts';
import { awaitReopening, type Greeted, reopen } from './reopening.ts';

export interface Ticket {
  token: string;
  scheme: 'thread' | 'unix' | 'tcp' | 'tls';
  /** For `unix`: where the socket may lie. */
  dir?: string;
  /** Of engines on two hosts: a `nats:` URL, beneath which each finds the other wherever it is. */
  meeting?: string;
  /** For `tls`: by which of its addresses others reach this engine. */
  address?: string;
  /** The engine that will come with it, and its incarnation. */
  from: number;
  incarnation: number;
}

export interface Channel {
  /** Of the engine at the other end. */
  readonly incarnation: number;
  readonly rpc: Rpc;
  readonly exchange: Exchange;
  drained(): Promise<void>;
  close(reason: string): void;
}

export interface PeersHome {
  /** Where the engine listens, a ticket to it, and its incarnation. */
  ask(engine: number): Promise<{ url: string; token: string; incarnation: number }>;
  readonly certify: Certify;
  readonly serve: Record<string, RequestHandler>;
  exchange(session: Pick<Session, 'send'>, engine: number): Exchange;
  /** This engine's id. */
  engine(): number;
  /** The channel broke, or could not be opened. */
  lost(engine: number, reason: string): void;
}

interface Opening {
  readonly id: string;
  readonly connection: Connection;
  readonly engine: number;
  readonly incarnation: number;
  readonly early?: Early;
  /** What is done when the connection is cut; `fail` ends the channel. */
  resume(session: Session, fail: (reason: string) => void): void;
}

/** ms for a connection to an engine that may be ending. */
const DIAL_PATIENCE = 10_000;
/** ms within which a ticket must be used. */
const TICKET_LIFE = 30_000;
/** Connections at a time that have not shown a ticket. */
const STRANGERS = 64;

export class Peers {
  #home: PeersHome;
  #channels = new Map<number, Channel | Promise<Channel>>();
  /** The last incarnation of each that is known to be gone. */
  #gone = new Map<number, number>();
  #listeners = new Map<string, Promise<Listener>>();
  #tickets = new Map<string, { secret: string; from: number; incarnation: number; until: number }>();
  #strangers = new Strangers(STRANGERS);
  #sessions = new Set<Session>();
  #engineOf = new WeakMap<Session, number>();
  #identities: Identities;
  #past = { sent: 0, received: 0 };

  constructor(home: PeersHome) {
    this.#home = home;
    this.#identities = new Identities(home.certify);
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
  async admit({ token, scheme, dir, address = '', meeting, from, incarnation }: Ticket): Promise<string> {
    const { id, secret } = parseToken(token);
    const now = performance.now();
    // They expire in the order in which they came.
    for (const [old, { until }] of this.#tickets) {
      if (until > now) break;
      this.#tickets.delete(old);
    }
    this.#tickets.set(id, { secret, from, incarnation, until: now + TICKET_LIFE });
    const name = `engine-${randomBytes(6).toString('hex')}`;
    const url = meeting
      ? beneath(meeting, name)
      : {
          thread: `thread:${name}`,
          unix: `unix:${path.join(dir ?? '', `${name}.sock`)}`,
          tcp: 'tcp://127.0.0.1:0',
          tls: `tls://${address}:0`,
        }[scheme];
    const place = meeting ?? placeOf(scheme, address);
    let listener = this.#listeners.get(place);
    if (!listener) {
      listener = this.#listen(url, !meeting && scheme === 'tls' ? address : undefined);
      this.#listeners.set(place, listener);
      listener.catch(() => this.#listeners.delete(place)); // the next ticket tries again
    }
    return (await listener).url;
  }

  /** @param address where others come from other machines, and both sides show certificates */
  async #listen(url: string, address: string | undefined): Promise<Listener> {
    const tls = address === undefined ? undefined : { ...(await this.#identities.at(address)), mutual: true };
    return listen(url, (connection) => void this.#accept(connection), { tls });
  }

  /** Who vouches for engines is another one: other certificates, for listeners and for whoever dials from here. */
  async renew(): Promise<void> {
    for (const address of this.#identities.clear()) {
      const listener = await this.#listeners.get(placeOf('tls', address));
      listener?.renew?.({ ...(await this.#identities.at(address)), mutual: true });
    }
  }

  /** Fetches a result from the engine that made it, waiting there until it is made. ValueLostError: nobody gets there any more. */
  async fetch(engine: number, need: Need): Promise<Payload[]> {
    const { rpc } = await this.#reach(engine);
    return rpc.request('peek', { needs: [need] }).catch((error) => {
      throw error instanceof TransportError || error instanceof EngineLostError ? lostWith(engine, error) : error;
    });
  }

  /** However that fails: an engine that is ending, or another one by now, turns away whoever comes with the ticket of the former. */
  async #reach(engine: number): Promise<Channel> {
    try {
      return await this.channel(engine);
    } catch (error) {
      throw lostWith(engine, error);
    }
  }

  /** The channel itself once it is open: no promise then. */
  channel(engine: number): Channel | Promise<Channel> {
    const there = this.#channels.get(engine);
    if (there) return there;
    if (engine === this.#home.engine()) {
      const self = this.#toSelf(engine);
      this.#channels.set(engine, self);
      return self;
    }
    const opening = this.#open(engine);
    this.#channels.set(engine, opening);
    opening.then(
      (channel) => this.#opened(engine, channel, opening),
      (error: Error) => this.#forget(engine, opening, error.message),
    );
    return opening;
  }

  /** The first one to whoever is there now serves both directions. */
  #opened(engine: number, channel: Channel, opening?: Promise<Channel>): void {
    if (this.#channels.get(engine) === opening) this.#channels.delete(engine);
    if (channel.incarnation <= (this.#gone.get(engine) ?? 0)) channel.close(`engine ${engine} was lost`);
    else if (!this.#channels.has(engine)) this.#channels.set(engine, channel);
  }

  /**
   * That incarnation of the engine is gone: the end of its channel may not have been noticed when the next one has a value. Where one
   * is being opened, it is not known yet to which of them.
   */
  drop(engine: number, incarnation: number, reason: string): void {
    this.#gone.set(engine, incarnation);
    const there = this.#channels.get(engine);
    if (there instanceof Promise) this.#channels.delete(engine);
    else if (there && there.incarnation <= incarnation) {
      this.#channels.delete(engine);
      there.close(reason);
    }
  }

  /** This engine becomes another incarnation: all others will take it for lost. */
  leave(reason: string): void {
    for (const engine of [...this.#channels.keys()]) this.drop(engine, Number.POSITIVE_INFINITY, reason);
    // Perhaps another controller counts them.
    this.#gone.clear();
  }

  #forget(engine: number, channel: Channel | Promise<Channel>, reason: string): void {
    if (this.#channels.get(engine) !== channel) return;
    this.#channels.delete(engine);
    this.#home.lost(engine, reason);
  }

  async #open(engine: number): Promise<Channel> {
    const { connection, welcomed, incarnation } = await this.#connect(engine);
    const resume = (session: Session, fail: (reason: string) => void): void =>
      void reopen(session, () => this.#connect(engine, session), fail);
    return this.#talk({ id: welcomed.session, connection, engine, incarnation, early: welcomed.early, resume });
  }

  async #connect(engine: number, session?: Session): Promise<Greeted & { incarnation: number }> {
    const { url, token, incarnation } = await this.#home.ask(engine);
    const tls = url.startsWith('tls:') ? await this.#identities.at('') : undefined;
    const connection = await dial(url, { signal: AbortSignal.timeout(DIAL_PATIENCE), tls });
    const before = session && { session: session.id, received: session.received };
    const welcomed = await greet(connection, { role: 'peer', key: parseToken(token), about: {}, ...before });
    return { connection, welcomed, incarnation };
  }

  async #accept(connection: Connection): Promise<void> {
    let [from, incarnation] = [-1, 0];
    const guest = await this.#strangers.meet(connection, async (id) => {
      const ticket = this.#tickets.get(id);
      this.#tickets.delete(id); // good once
      if (!ticket || ticket.until < performance.now()) return undefined;
      ({ from, incarnation } = ticket);
      return { secret: ticket.secret, roles: ['peer'] };
    });
    if (!guest) return; // turned away, and told why
    if (guest.session) {
      this.#resume(guest, connection, from);
      return;
    }
    guest.welcome({ session: guest.key, resumed: false, received: 0, about: {} });
    this.#opened(from, this.#talk({ id: guest.key, connection, engine: from, incarnation, resume: awaitReopening() }));
  }

  /** Only for the engine that the channel leads to. */
  #resume(guest: Guest, connection: Connection, from: number): void {
    const session = [...this.#sessions].find(({ id }) => id === guest.session);
    const known = session?.resumable(guest.received) && this.#engineOf.get(session) === from ? session : undefined;
    guest.welcome({ session: guest.session, resumed: !!known, received: known?.received ?? 0, about: {} });
    if (known) known.attach(connection, guest.received);
    else void connection.close('this channel cannot be resumed here');
  }

  #talk({ id, connection, engine, incarnation, early, resume }: Opening): Channel {
    const end = (reason: string): void => {
      if (session.ended && !this.#sessions.has(session)) return;
      session.abandon(reason);
      this.#past.sent += session.bytesSent;
      this.#past.received += session.bytesReceived;
      this.#sessions.delete(session);
      const error = new ValueLostError(`The engine that held the value was lost: ${reason}`);
      rpc.fail(error);
      exchange.fail(error);
      for (const [key, there] of this.#channels) if (there === channel) this.#forget(key, channel, reason);
    };
    const { crossHost } = connection.capabilities;
    const session: Session = new Session(id, {
      message: (header, payloads) => {
        if (header.paradigm) exchange.receive(header, payloads);
        else if (!rpc.receive(header, payloads))
          throw new ProtocolError(`An engine sent another one a message of kind ${header.kind}`);
      },
      // Within a host a connection is lost only with its engine.
      disconnected: (reason) =>
        crossHost ? resume(session, (why) => session.connected || end(`${reason}; ${why}`)) : end(reason),
      ended: end,
    });
    const rpc = new Rpc((header, payloads, owned) => session.send(header, payloads, owned), this.#home.serve);
    const exchange = this.#home.exchange(session, engine);
    const channel: Channel = { incarnation, rpc, exchange, drained: () => session.drained(), close: end };
    this.#sessions.add(session);
    this.#engineOf.set(session, engine);
    session.attach(connection, 0, early);
    return channel;
  }

  /** What an engine says to itself arrives as a copy, like everything. */
  #toSelf(engine: number): Channel {
    const exchange: Exchange = this.#home.exchange(
      {
        send(header, payloads = []) {
          const copies = pack(header, payloads).map((part) => new Uint8Array(part));
          setImmediate(() => {
            const { header: received, payloads: parts } = unpack(copies);
            exchange.receive(received, parts);
          });
        },
      },
      engine,
    );
    const always = { incarnation: Number.POSITIVE_INFINITY, drained: async () => {}, close: () => {} };
    return { ...always, rpc: new Rpc(() => {}), exchange };
  }
}

function placeOf(scheme: Ticket['scheme'], address: string): string {
  return `${scheme} ${address}`;
}

function beneath(address: string, name: string): string {
  const url = new URL(address);
  url.pathname += `/${name}`;
  return url.href;
}

function lostWith(engine: number, cause: unknown): ValueLostError {
  return new ValueLostError(`The value was on engine ${engine}, which was lost before it was fetched`, { cause });
}
