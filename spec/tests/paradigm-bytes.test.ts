/** `tellBytes`: parts arrive as they were sent, in order with all else. */
import { expect, test } from 'vitest';
import { defineParadigm } from '../../core/index.ts';
import { cluster } from '../../main.ts';

const raw = defineParadigm({
  name: 'raw',
  version: '1.0.0',
  module: import.meta.url,
  engine: '../fixtures/paradigms/raw.mjs',
  client: (host) => ({
    send: (to: number, from: number) => host.engine(from).ask('send', to),
    told: (id: number) => host.engine(id).ask('told'),
    toEngine: (id: number, parts: Uint8Array[]) => host.engine(id).tellBytes('bytes', parts),
  }),
});

test.each(['thread', 'process'] as const)('between %s engines, to oneself, and from a client', async (kind) => {
  await using client = await cluster({ engines: 2, kind, output: 'ignore' });
  const api = client.use(raw);
  for (const to of [0, 1]) {
    await api.send(to, 0);
    let told: unknown[] = [];
    while (told.length < 4) told = await api.told(to);
    expect(told).toEqual([[[1, 2], [], 300_000], 'between', [[]], []]);
  }
  api.toEngine(1, [new Uint8Array([7])]);
  expect(await api.told(1)).toEqual([[[7]]]);
});
