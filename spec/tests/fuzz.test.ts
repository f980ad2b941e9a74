/** 100,000 frames as no peer of ours would send them: whoever sends them is dropped, and nobody else notices. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Client, openClient } from '../../core/client/client.ts';
import { type Host, startHost } from '../../core/controller/host.ts';
import type { Logger } from '../../core/log.ts';
import { Kind, pack } from '../../core/wire/envelope.ts';
import type { Payload } from '../../core/wire/forms.ts';
import { BOMBS } from '../fuzz/bodies.ts';
import '../../main.ts';
import type { Fate } from '../fuzz/frames.ts';
import { type As, answers, finish, join, type Outcome, type Range, shoot } from '../fuzz/gunner.ts';
import { random, seedOf } from '../fuzz/random.ts';
import { RawPeer, whole } from '../fuzz/raw-peer.ts';

const FRAMES = 100_000;
const LANES = 6;
const MOST = 90;
/** ms. */
const BEAT = 200;

let host: Host;
let range: Range;
let office: RawPeer;
let pulse: NodeJS.Timeout;
let clients: Client[];
/** What was logged of each remote. */
const logged = new Map<string, string[]>();
const errors: object[] = [];
const log: Logger = {
  debug() {},
  info() {},
  warn(message, fields) {
    const { remote = '' } = fields as { remote?: string };
    if (remote) logged.set(remote, [...(logged.get(remote) ?? []), message]);
  },
  error: (message, fields) => void errors.push({ message, ...fields }),
};

beforeAll(async () => {
  host = await startHost({
    listen: ['tcp://127.0.0.1:0'],
    log,
    clientWindow: 500,
    beat: BEAT,
    limits: { engines: 64 },
    kind: 'thread',
  });
  await host.fleet.add(2, host.launcher);
  const url = host.outside.urls[0]!;
  clients = [
    await openClient(host.info, { output: 'ignore' }),
    await openClient({ ...host.outside, urls: [url] }, { output: 'ignore' }),
  ];
  office = await RawPeer.open(url);
  await office.shakeHands('engine', host.outside.engineToken!, { host: 'elsewhere' });
  // Silent, it would count as lost while nobody needs a ticket.
  pulse = setInterval(() => office.write(whole(pack({ kind: Kind.BEAT }), 0)), BEAT);
  let asked = 0;
  const ticket = (): Promise<{ url: string; token: string }> => office.ask(++asked, 'ticket', 0);
  range = { url, host, engines: [0, 1], ticket };
});
afterAll(async () => {
  clearInterval(pulse);
  office.destroy();
  for (const client of clients) await client.close();
  await host.stop();
});

/** What others do meanwhile: a small result, a large one that stays on its engine, both as arguments. */
async function others(round: number): Promise<void> {
  const engine = clients[round % clients.length]!.engine((round >> 1) % 2);
  const small = engine.apply((n: number) => n * 2, round);
  const large = engine.apply((n: number) => new Float64Array(10_000).fill(n), round);
  expect(await engine.apply((a: number, b: Float64Array) => a + b[9_999]!, small, large)).toBe(3 * round);
  expect((await large)[5]).toBe(round);
}

function judge({ as, remote, fate, end }: Outcome): void {
  const said = logged.get(remote)?.filter((message) => message !== 'limit met') ?? [];
  logged.delete(remote);
  const what = `${as}, ${fate}, told ${JSON.stringify(end)}, logged ${JSON.stringify(said)}`;
  expect(said.length, what).toBeLessThanOrEqual(1);
  expect(end.refused.length, what).toBeLessThanOrEqual(1);
  expect(end.closed.length, what).toBeLessThanOrEqual(1);
  if (fate !== 'dropped') return;
  expect(end.closed, what).toHaveLength(1);
  expect(end.closed[0], what).not.toBe('');
  if (as !== 'peer') expect(said, what).toEqual(['peer dropped']);
}

test('the corpus: what once was, or nearly was, more than it should be', async () => {
  const file = new URL('../fixtures/fuzz/corpus.json', import.meta.url);
  const corpus = JSON.parse(readFileSync(file, 'utf8')) as { name: string; as: As; hex: string; fate: Fate }[];
  expect(corpus.length).toBeGreaterThan(50);
  for (const { name, as, hex, fate } of corpus) {
    const peer = await join(range, as as 'client');
    const bytes = Buffer.from(hex, 'hex');
    if (fate === 'goes on') {
      peer.write(bytes);
      await answers(peer).catch((error) => expect.fail(`${name}: ${error}`));
      peer.destroy();
    } else judge({ as, ...(await finish(peer, { bytes, fate })), frames: 1 });
  }
  expect(await clients[1]!.engine(0).execute('1 + 1')).toBe(2);
});

test.each(Object.entries(BOMBS))('%s, as arguments and as a question', async (_, bomb) => {
  const payload: Payload = { codec: 'msgpack', parts: [bomb, Buffer.alloc(64)] };
  const client = await join(range, 'client');
  client.write(whole(pack({ kind: Kind.CALL, id: 1, op: 'apply', targets: [0] }, [payload])));
  client.write(whole(pack({ kind: Kind.REQUEST, id: 1, op: 'cancel' }, [payload])));
  await answers(client);
  client.destroy();
  expect(await clients[0]!.engine(0).execute('1 + 1')).toBe(2);
});

test(`${FRAMES} frames`, async () => {
  const seed = seedOf('fuzz');
  const before = process.memoryUsage().rss;
  let [frames, connections, rounds] = [0, 0, 0];
  const dropped = { stranger: 0, client: 0, observer: 0, engine: 0, peer: 0 };
  const lane = async (): Promise<void> => {
    while (frames < FRAMES) {
      const r = random(seed + connections++);
      const as = r.pick<As>(['stranger', 'client', 'client', 'client', 'observer', 'engine', 'peer']);
      const outcome = await shoot(range, as, r, MOST).catch((error) => {
        throw new Error(`connection ${r.seed - seed} (as ${as}) of seed ${seed}: ${error.message}`, { cause: error });
      });
      frames += outcome.frames;
      if (outcome.end.closed.length) dropped[outcome.as]++;
      judge(outcome);
      if (connections % 3 === 0) await others(rounds++);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const grown = (process.memoryUsage().rss - before) >> 20;
  process.stderr.write(
    `fuzz: ${frames} frames over ${connections} connections, dropped ${JSON.stringify(dropped)}; ` +
      `3 × ${rounds} calls of others meanwhile; ${grown} MB more\n`,
  );
  expect(errors).toEqual([]);
  expect(grown).toBeLessThan(1_000);
  expect(Object.values(dropped).every((count) => count > 10)).toBe(true);
  // One that still has work, or is late with a heartbeat, is busy; nobody was lost meanwhile.
  const states = (): unknown[] =>
    clients.map((client) => client.engines.slice(0, 2).map((e) => `${e.state} ${e.incarnation}`));
  await expect.poll(states, { timeout: 20_000 }).toEqual(clients.map(() => ['alive 1', 'alive 1']));
  // Those that left without a word are waited for; then nobody is left but those who were there before.
  await expect.poll(() => host.controller.clients.size, { timeout: 20_000 }).toBe(clients.length);
}, 400_000);
