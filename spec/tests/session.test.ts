import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dialSession } from '../../core/wire/dialled-session.ts';
import { Kind, PROTOCOL_VERSION, pack, payloadText, textPayload } from '../../core/wire/envelope.ts';
import { greet, meet, mintKey } from '../../core/wire/handshake.ts';
import { Session } from '../../core/wire/session.ts';
import {
  type Capabilities,
  type Connection,
  listen,
  registerTransport,
  type Transport,
} from '../../core/wire/transport.ts';
import { inline } from '../../transports/inline.ts';
import { connectedPair, rawPeer } from './wire-pair.ts';

/** The same connection, but one whose messages a cut may lose, as on a network. */
function lossy(inner: Connection): Connection {
  const capabilities: Capabilities = { ...inner.capabilities, lossless: false, transfer: false };
  return new Proxy(inner, {
    get(target, key) {
      if (key === 'capabilities') return capabilities;
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

interface End {
  session: Session;
  got: string[];
  ended: string[];
  cuts: number;
}

function end(id: string): End {
  const made: Omit<End, 'session'> = { got: [], ended: [], cuts: 0 };
  const session = new Session(id, {
    message: (_, payloads) => made.got.push(payloadText(payloads[0])),
    disconnected: () => void e.cuts++,
    ended: (reason) => made.ended.push(reason),
  });
  const e: End = Object.assign(made, { session });
  return e;
}

/** What the two handshakes agree on, then both attach. */
async function connect(a: End, b: End): Promise<[Connection, Connection]> {
  const [near, far] = (await connectedPair()).map(lossy) as [Connection, Connection];
  const said = { a: a.session.received, b: b.session.received };
  expect(a.session.attach(near, said.b)).toBe(true);
  expect(b.session.attach(far, said.a)).toBe(true);
  return [near, far];
}

const say = ({ session }: End, text: string): void => session.send({ kind: Kind.EVENT, op: 'x' }, [textPayload(text)]);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a session over connections that are cut', () => {
  type Step =
    | { do: 'a' | 'b' | 'both'; count: number }
    | { do: 'cut'; side: 0 | 1; later: number }
    | { do: 'turns'; count: number };
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constantFrom('a', 'b', 'both'), count: fc.integer({ min: 1, max: 40 }) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('turns'), count: fc.integer({ min: 1, max: 6 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('cut'),
        side: fc.constantFrom(0, 1),
        later: fc.integer({ min: 0, max: 20 }),
      }),
    },
  ) as fc.Arbitrary<Step>;

  test('each message arrives once and in order, wherever the cuts fall', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const a = end('s');
        const b = end('s');
        const sent = { a: [] as string[], b: [] as string[] };
        const speak = (who: 'a' | 'b', count: number): void => {
          for (let i = 0; i < count; i++) {
            const text = `${who}${sent[who].length}`;
            sent[who].push(text);
            say(who === 'a' ? a : b, text);
          }
        };
        let pair = await connect(a, b);
        for (const s of steps) {
          if (s.do === 'turns') for (let i = 0; i < s.count; i++) await turn();
          else if (s.do === 'cut') {
            pair[s.side].destroy('cut by the test');
            // Spoken into the cut, and while there is no connection at all.
            speak('a', s.later);
            speak('b', s.later);
            await expect.poll(() => a.session.connected || b.session.connected, { interval: 1 }).toBe(false);
            speak('b', s.later);
            pair = await connect(a, b);
          } else for (const who of s.do === 'both' ? (['a', 'b'] as const) : [s.do]) speak(who, s.count);
        }
        await expect.poll(() => [a.got.length, b.got.length], { interval: 1 }).toEqual([sent.b.length, sent.a.length]);
        expect(a.got).toEqual(sent.b);
        expect(b.got).toEqual(sent.a);
        expect([...a.ended, ...b.ended]).toEqual([]);
        for (const { session } of [a, b]) session.abandon('done');
      }),
      { numRuns: 60 },
    );
  });

  test('acknowledgements empty the replay buffer, by number and by size', async () => {
    const [a, b] = [end('s'), end('s')];
    const [near] = await connect(a, b);
    for (let i = 0; i < 256; i++) say(a, String(i));
    await expect.poll(() => b.got.length).toBe(256);
    for (let i = 0; i < 3; i++) say(a, 'x'.repeat(1 << 20));
    await expect.poll(() => b.got.length).toBe(259);
    // A beat goes the same way as the acknowledgements before it.
    b.session.beat();
    await expect.poll(() => b.session.received).toBe(259);
    near.destroy('cut');
    await expect.poll(() => a.session.connected).toBe(false);
    expect(a.session.bufferedAmount).toBe(0);
    expect(a.session.resumable(258)).toBe(false);
    expect(a.session.resumable(259)).toBe(true);
    expect(a.session.resumable(260)).toBe(false);
  });

  test('what is unacknowledged is kept up to 64 MiB; beyond that the session cannot be resumed', async () => {
    const [a, b] = [end('s'), end('s')];
    const [near] = await connect(a, b);
    near.destroy('cut');
    await expect.poll(() => a.session.connected || b.session.connected).toBe(false);
    const chunk = { codec: 'raw' as const, parts: [new Uint8Array(8 << 20)] };
    for (let i = 0; i < 7; i++) a.session.send({ kind: Kind.EVENT }, [chunk]);
    expect(a.session.resumable(0)).toBe(true);
    for (let i = 0; i < 2; i++) a.session.send({ kind: Kind.EVENT }, [chunk]);
    expect(a.session.resumable(0)).toBe(false);
    const [again] = await connectedPair();
    expect(a.session.attach(again, 0)).toBe(false);
    a.session.lose('more than can be replayed');
    a.session.lose('twice');
    expect(a.ended).toEqual(['more than can be replayed']);
  });

  test.each([
    ['an acknowledgement of what was never sent', { kind: Kind.ACK, received: 5 }, 0, /never sent/],
    ['a goodbye', { kind: Kind.GOODBYE, error: 'that was all' }, 1, /that was all/],
  ] as const)('%s ends it', async (_, header, lane, reason) => {
    const [near, far] = await connectedPair();
    const a = end('s');
    a.session.attach(lossy(near), 0);
    const peer = rawPeer(far);
    far.send(pack({ ...header }), { lane });
    await expect.poll(() => a.ended).toEqual([expect.stringMatching(reason)]);
    await expect.poll(() => peer.closed.length).toBe(1);
  });
});

test('an end right behind the welcome is not missed', async () => {
  const [near, far] = await connectedPair();
  const key = mintKey('c');
  const met = meet(far, async () => ({ secret: key.secret, roles: ['client'] }));
  const greeted = greet(near, { role: 'client', key, about: {} });
  (await met).welcome({ session: 's', resumed: false, received: 0, about: {} });
  far.send(pack({ kind: Kind.EVENT, op: 'x' }, [textPayload('last words')]));
  await far.close('that was all');
  const a = end('s');
  a.session.attach(near, 0, (await greeted).early);
  expect(a).toMatchObject({ got: ['last words'], ended: ['that was all'] });
});

describe('a dialled session', () => {
  const key = mintKey('c');
  const dialled: Connection[] = [];
  const transport = inline();
  registerTransport({
    schemes: ['lossy'],
    listen: (url, accept) => transport.listen(url, (c) => accept(lossy(c))),
    dial: async (url, options) => {
      const connection = lossy(await transport.dial(url, options));
      dialled.push(connection);
      return connection;
    },
  } satisfies Transport);

  test('resumes by itself, and early messages come behind the replay; when the other side cannot, it ends', async () => {
    const far = end('s');
    let known = true;
    const listener = await listen('lossy:session', async (connection) => {
      const guest = await meet(connection, async () => ({ secret: key.secret, roles: ['client'] }));
      const resumed = guest.session !== '' && known;
      guest.welcome({ session: 's', resumed, received: far.session.received, about: { protocol: PROTOCOL_VERSION } });
      if (guest.session && !known) return void connection.close('gone');
      far.session.attach(connection, guest.received);
      say(far, `behind welcome ${guest.session ? 'again' : 'first'}`);
    });
    const got: string[] = [];
    const ended: string[] = [];
    const cuts: string[] = [];
    let resumes = 0;
    let session!: Session;
    await dialSession({
      urls: ['lossy:session'],
      role: 'client',
      key,
      window: 60_000,
      about: () => ({}),
      handlers: {
        opened: (opened) => {
          session = opened;
        },
        message: (_, payloads) => got.push(payloadText(payloads[0])),
        disconnected: (reason) => cuts.push(reason),
        resumed: () => void resumes++,
        ended: (reason) => ended.push(reason),
      },
    });
    await expect.poll(() => got).toEqual(['behind welcome first']);
    dialled[0]!.destroy('cut');
    session.send({ kind: Kind.EVENT }, [textPayload('said while cut')]);
    say(far, 'kept for later');
    await expect.poll(() => got).toEqual(['behind welcome first', 'kept for later', 'behind welcome again']);
    await expect.poll(() => far.got).toEqual(['said while cut']);
    expect([cuts.length, resumes, ended]).toEqual([1, 1, []]);

    known = false;
    dialled[1]!.destroy('cut again');
    await expect.poll(() => ended).toEqual([expect.stringMatching(/could not resume/)]);
    expect(session.ended).toBe(true);
    await listener.close();
  });
});
