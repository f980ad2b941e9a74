/** Engines of different machines while another authority vouches for them: those that have heard of it, and those that have not yet. */
import { expect, test } from 'vitest';
import { Authorities } from '../../core/controller/authorities.ts';
import { Peers } from '../../core/engine/peers.ts';
import type { Exchange } from '../../core/paradigm/exchange.ts';
import { decode, encode } from '../../core/wire/codec.ts';
import { keyToken, mintKey } from '../../core/wire/handshake.ts';
import '../../transports/builtin.ts';

const HOST = '127.0.0.1';

/** Their certificates are those of the time when they first ask. */
function crowd(authorities: Authorities, count: number) {
  const all: Peers[] = Array.from({ length: count }, (_, id) => {
    return new Peers({
      async ask(engine) {
        const token = keyToken(mintKey('t'));
        const ticket = { token, scheme: 'tls', address: HOST, from: id, incarnation: 1 } as const;
        return { token, url: await all[engine]!.admit(ticket), incarnation: 1 };
      },
      certify: async (publicKey, address) => ({
        cert: await authorities.sign(publicKey, `engine ${id}`, address ? [address] : []),
        ca: await authorities.trusted(),
      }),
      serve: { peek: async () => ({ payloads: [encode(id)] }) },
      exchange: () => ({ fail() {}, receive() {} }) as unknown as Exchange,
      engine: () => id,
      lost() {},
    });
  });
  /** On a connection of its own. */
  const reach = async (from: number, to: number): Promise<unknown> => {
    try {
      const [payload] = await all[from]!.fetch(to, { client: 1, call: 1, engine: to, incarnation: 0, settled: false });
      return decode(payload!);
    } catch (error) {
      const { cause } = error as Error;
      return (cause as Error).message;
    } finally {
      all[from]!.leave('it is over');
      all[to]!.leave('it is over');
    }
  };
  return { all, reach };
}

test('they reach each other while it is replaced, and nobody who has missed all of it', async () => {
  const authorities = new Authorities();
  const { all, reach } = crowd(authorities, 3);
  const [hears, late, misses] = [0, 1, 2];
  for (const from of [hears, late, misses])
    for (const to of [hears, late, misses]) if (from !== to) expect(await reach(from, to)).toBe(to);
  const former = await authorities.replace();
  await all[hears]!.renew();
  expect(await reach(hears, late)).toBe(late);
  expect(await reach(late, hears)).toBe(hears);
  await all[late]!.renew();
  expect(former!.forget()).toBe(true);
  await all[hears]!.renew();
  expect(await reach(hears, late)).toBe(late);
  expect(await reach(late, hears)).toBe(hears);
  await all[late]!.renew();
  expect(await reach(hears, late)).toBe(late);
  expect(await reach(misses, hears)).toMatch(/not signed by an authority that is trusted here/);
  expect(await reach(hears, misses)).toMatch(/not signed by an authority/);
});
