/** Channels between engines that are lost and come back, in any order of what each learns of it. */
import { afterEach, expect, test } from 'vitest';
import { Peers } from '../../core/engine/peers.ts';
import { ValueLostError } from '../../core/errors.ts';
import type { Exchange } from '../../core/paradigm/exchange.ts';
import { decode, encode } from '../../core/wire/codec.ts';
import { keyToken, mintKey } from '../../core/wire/handshake.ts';
import { registerTransport } from '../../core/wire/transport.ts';
import { socket } from '../../transports/socket.ts';

registerTransport(socket());
type Incarnations = [number, number];
const there: Peers[] = [];
afterEach(() => {
  for (const peers of there.splice(0)) peers.leave('it is over');
});

/** Two engines. `asked` comes between a question to the controller and its answer. */
function pair(incarnations: Incarnations, asked: (from: number) => Promise<void> = async () => {}) {
  const lost: number[] = [];
  const both: Peers[] = [0, 1].map(
    (id) =>
      new Peers({
        async ask(engine) {
          await asked(id);
          const token = keyToken(mintKey('t'));
          const ticket = { token, scheme: 'tcp', from: id, incarnation: incarnations[id]! } as const;
          return { token, url: await both[engine]!.admit(ticket), incarnation: incarnations[engine]! };
        },
        certify: async () => ({ cert: '', ca: '' }),
        serve: { peek: async () => ({ payloads: [encode(id)] }) },
        exchange: () => ({ fail() {}, receive() {} }) as unknown as Exchange,
        engine: () => id,
        lost: (engine) => lost.push(engine),
      }),
  );
  there.push(...both);
  const fetch = async (from: number, to: number): Promise<unknown> => {
    const [payload] = await both[from]!.fetch(to, { client: 1, call: 1, engine: to, incarnation: 0, settled: false });
    return decode(payload!);
  };
  return { both, fetch, lost };
}

test('an engine that is lost while it is asked for is reached as its next incarnation', async () => {
  const incarnations: Incarnations = [1, 1];
  let answer = (): void => {};
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const { both, fetch, lost } = pair(incarnations, (from) => (from === 0 ? asked : Promise.resolve()));
  const fetched = fetch(0, 1);
  both[0]!.drop(1, 1, 'engine 1 was lost');
  incarnations[1] = 2;
  answer();
  expect(await fetched).toBe(1);
  // By the same channel, which the other one has not been told to be the wrong one.
  expect(await fetch(1, 0)).toBe(0);
  expect(lost).toEqual([]);
});

test('a channel to an incarnation that is known to be gone is not used', async () => {
  const incarnations: Incarnations = [1, 1];
  const { both, fetch, lost } = pair(incarnations, async (from) => {
    if (from === 0 && incarnations[1] === 1) both[0]!.drop(1, 1, 'engine 1 was lost');
  });
  await expect(fetch(0, 1)).rejects.toThrow(ValueLostError);
  incarnations[1] = 2;
  expect(await fetch(0, 1)).toBe(1);
  both[0]!.drop(1, 1, 'told late');
  expect(await fetch(0, 1)).toBe(1);
  expect(lost.filter((engine) => engine === 1)).toEqual([]);
});

test('nor is one that comes from it', async () => {
  const incarnations: Incarnations = [1, 1];
  const { both, fetch } = pair(incarnations);
  both[1]!.drop(0, 1, 'engine 0 was lost');
  await expect(fetch(0, 1)).rejects.toThrow(ValueLostError);
  incarnations[0] = 2;
  expect(await fetch(1, 0)).toBe(0);
  expect(await fetch(0, 1)).toBe(1);
});

test('an engine that leaves its controller begins anew with all others', async () => {
  const incarnations: Incarnations = [1, 1];
  const { both, fetch } = pair(incarnations);
  expect(await fetch(0, 1)).toBe(1);
  both[0]!.leave('the controller was lost');
  incarnations[0] = 2;
  both[1]!.drop(0, 1, 'engine 0 was lost');
  expect(await Promise.all([fetch(0, 1), fetch(1, 0)])).toEqual([1, 0]);
});
