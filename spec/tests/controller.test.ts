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
    key: controller.clientKey,
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
