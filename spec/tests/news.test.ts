/** What clients are told of engines: what has changed, once a turn. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changedEngines } from '../../core/client/engine-list.ts';
import type { ClusterEvent, EngineInfo } from '../../core/cluster-info.ts';
import { Controller } from '../../core/controller/controller.ts';
import { decode } from '../../core/wire/codec.ts';
import { dialSession } from '../../core/wire/dialled-session.ts';
import { Kind, pack, unpack } from '../../core/wire/envelope.ts';
import { greet } from '../../core/wire/handshake.ts';
import type { Session } from '../../core/wire/session.ts';
import { dial, listen, registerTransport } from '../../core/wire/transport.ts';
import { inline } from '../../transports/inline.ts';

registerTransport(inline());

test('128 engines join and leave in few messages, and a client that folds them knows what the controller knows', async () => {
  const controller = new Controller({ name: 'many' });
  const listener = await listen('inline:many', (connection) => void controller.accept(connection));
  let engines: readonly EngineInfo[] = [];
  let messages = 0;
  const connection = await dial(listener.url);
  const { about, early } = await greet(connection, { role: 'client', key: controller.keys.client, about: {} });
  const receive = (parts: readonly Uint8Array[]): void => {
    const { header, payloads } = unpack(parts);
    if (header.kind !== Kind.EVENT) return;
    messages++;
    engines = changedEngines(engines, (decode(payloads[0]!) as { events: ClusterEvent[] }).events);
  };
  engines = about.engines;
  for (const [parts] of early.messages) receive(parts);
  connection.receive({ message: receive, close: () => {} });

  const sessions: Session[] = [];
  const sizes = new Map<number, number>();
  await Promise.all(
    Array.from({ length: 128 }, (_, i) =>
      dialSession({
        urls: [listener.url],
        role: 'engine',
        key: controller.keys.join,
        about: () => ({ host: 'here', pid: i, kind: 'inline', cwd: '/', node: 'v0' }),
        window: 0,
        handlers: {
          opened: (session) => void sessions.push(session),
          message: ({ kind, op, id }) => void (kind === Kind.EVENT && op === 'size' && sizes.set(i, id)),
          ended: () => {},
        },
      }),
    ),
  );
  await expect.poll(() => engines.filter((e) => e.state === 'alive').length).toBe(128);
  expect(engines).toEqual(controller.registry.infos());
  expect(messages).toBeLessThan(64);
  await expect.poll(() => [...sizes.values()].filter((size) => size === 128).length).toBe(128);

  messages = 0;
  for (const session of sessions.slice(0, 100)) void session.close('over');
  await expect.poll(() => engines.filter((e) => e.state !== 'alive').length).toBe(100);
  expect(engines).toEqual(controller.registry.infos());
  expect(messages).toBeLessThan(50);
  connection.send(pack({ kind: Kind.GOODBYE }));
  await controller.close();
  await listener.close();
});

test('changes folded in any portions give the list that one by one gives', () => {
  const info = (id: number, n: number): EngineInfo => ({ id, incarnation: n }) as EngineInfo;
  const change = fc.record({
    type: fc.constantFrom('engine-joined', 'engine-state', 'engine-lost', 'engine-removed', 'client-joined'),
    id: fc.nat(5),
    n: fc.nat(9),
  });
  fc.assert(
    fc.property(fc.array(fc.array(change)), (turns) => {
      const model = new Map<number, EngineInfo>();
      let engines: readonly EngineInfo[] = [];
      for (const turn of turns) {
        const events = turn.map(({ type, id, n }) => ({ type, engine: info(id, n) }) as ClusterEvent);
        for (const event of turn) {
          if (event.type === 'engine-removed') model.delete(event.id);
          else if (event.type !== 'client-joined') model.set(event.id, info(event.id, event.n));
        }
        engines = changedEngines(
          engines,
          events.map((e) => (e.type === 'client-joined' ? { type: e.type, client: 1 } : e)),
        );
        expect(engines).toEqual([...model.values()].sort((a, b) => a.id - b.id));
      }
    }),
  );
});
