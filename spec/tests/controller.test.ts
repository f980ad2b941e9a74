/** What the controller does with clients that are cut off, ask for too much, or only watch. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Controller } from '../../core/controller/controller.ts';
import { encode } from '../../core/wire/codec.ts';
import { Kind, pack, Status, textPayload } from '../../core/wire/envelope.ts';
import type { Payload } from '../../core/wire/forms.ts';
import { greet, type Role, type Welcomed } from '../../core/wire/handshake.ts';
import type { Connection } from '../../core/wire/transport.ts';
import { connectedPair, type RawPeer, rawPeer } from './wire-pair.ts';

let controller: Controller;
beforeEach(() => {
  controller = new Controller({ name: 'tested' });
});
afterEach(() => controller.close());

interface Joined {
  connection: Connection;
  welcomed: Welcomed;
  peer: RawPeer;
}

async function join(role: Role, session?: { id: string; received: number }): Promise<Joined> {
  const [connection, far] = await connectedPair();
  void controller.accept(far);
  const greeting = {
    role,
    key: controller.keys.client,
    session: session?.id,
    received: session?.received ?? 0,
    about: {},
  };
  const welcomed = await greet(connection, greeting);
  return { connection, welcomed, peer: rawPeer(connection) };
}

const say = ({ connection }: Joined, header: object, payloads: Payload[] = []): void =>
  connection.send(pack({ ...header }, payloads));

test('a session that cannot be resumed is refused at once, and its client has left', async () => {
  const { welcomed } = await join('client');
  expect(controller.clients.size).toBe(1);
  const again = await join('client', { id: welcomed.session, received: 1_000 });
  expect(again.welcomed).toMatchObject({ session: welcomed.session, resumed: false });
  await expect.poll(() => again.peer.closed.length + (again.welcomed.early.closed ? 1 : 0)).toBe(1);
  expect(controller.clients.size).toBe(0);
  expect((await join('client', { id: 'never-heard-of', received: 0 })).welcomed.resumed).toBe(false);
});

test('a call to an engine that is not there is answered in the codec that it came in', async () => {
  const client = await join('client');
  const replies = () => client.peer.heard.filter((h) => h.kind === Kind.REPLY);
  say(client, { kind: Kind.CALL, id: 1, op: 'pull', targets: [3] }, [encode(['x'])]);
  say(client, { kind: Kind.CALL, id: 2, op: 'pull', targets: [3] }, [encode(['x'], { codec: 'json' })]);
  await expect.poll(() => replies().length).toBe(2);
  expect(replies().map((r) => [r.id, r.results[0]?.status, r.payloads[0]?.codec ?? 0])).toEqual([
    [1, Status.LOST, 0],
    [2, Status.LOST, 1],
  ]);
});

test('a spread call without a payload for each target ends its session, and nothing else', async () => {
  const [bad, good] = [await join('client'), await join('client')];
  say(bad, { kind: Kind.CALL, id: 1, op: 'push', targets: [0, 1], spread: true }, [encode([])]);
  await expect.poll(() => bad.peer.closed.length).toBe(1);
  say(good, { kind: Kind.CALL, id: 1, op: 'pull', targets: [0] }, [encode(['x'])]);
  await expect.poll(() => good.peer.heard.some((h) => h.kind === Kind.REPLY)).toBe(true);
});

test('an observer is refused calls, and may not bring code', async () => {
  const observer = await join('observer');
  say(observer, { kind: Kind.CALL, id: 1, op: 'pull', targets: [0] }, [encode(['x'])]);
  await expect.poll(() => observer.peer.heard.some((h) => h.kind === Kind.REPLY)).toBe(true);
  say(observer, { kind: Kind.EVENT, op: 'code', code: ['ab'] }, [textPayload('anything')]);
  await expect.poll(() => observer.peer.closed.length).toBe(1);
});

test('a need that can never be met fails the call at once; it does not hold up an engine', async () => {
  const engine = await joinEngine();
  const client = await join('client');
  const replies = () => client.peer.heard.filter((h) => h.kind === Kind.REPLY);
  const call = (id: number, needs: object[]) =>
    say(client, { kind: Kind.CALL, id, op: 'pull', targets: [0], needs }, [encode(['x'], { codec: 'json' })]);
  call(5, []);
  call(6, [{ client: 1, call: 5, engine: 0 }]); // pending there
  call(7, [{ client: 99, call: 1, engine: 0 }]); // nobody's
  say(client, { kind: Kind.CALL, id: 8, op: 'pull', targets: [1], needs: [] }, [encode(['x'])]); // to nobody
  await expect.poll(() => engine.peer.heard.filter((h) => h.kind === Kind.CALL).length).toBe(2);
  await expect.poll(() => replies().map((r) => r.id)).toEqual([7, 8]);
  call(9, [{ client: 1, call: 8, engine: 0 }]); // which did not go there
  call(10, [{ client: 1, call: 2, engine: 0 }]); // nor did this, but the engine knows what it has seen
  await expect.poll(() => replies().map((r) => r.id)).toEqual([7, 8, 9]);
  await expect.poll(() => engine.peer.heard.filter((h) => h.kind === Kind.CALL).length).toBe(3);
  call(11, [{ client: 1, call: 11, engine: 0 }]); // its own result
  await expect.poll(() => client.peer.closed.length).toBe(1);
});

test.each([null, 5, 'x', [], { host: 7, pid: 'x', kind: {}, cwd: 'x'.repeat(5_000) }])(
  'an engine that tells %j of itself is let in, and told of as far as it makes sense',
  async (about) => {
    await joinEngine(about as object);
    const [info] = controller.registry.infos();
    expect(info).toMatchObject({ id: 0, state: 'alive', host: '', pid: 0, kind: '' });
    expect(info!.cwd.length).toBeLessThanOrEqual(1_024);
  },
);

async function joinEngine(about: object = {}): Promise<Joined> {
  const [connection, far] = await connectedPair();
  void controller.accept(far);
  const welcomed = await greet(connection, { role: 'engine', key: controller.keys.join, about });
  return { connection, welcomed, peer: rawPeer(connection) };
}
