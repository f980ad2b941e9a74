/** Who may do what, for how long, and what is said of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openClient } from '../../core/client/client.ts';
import { startHost } from '../../core/controller/host.ts';
import { connect, LimitError, RefusedError } from '../../main.ts';
import { blackBox } from './support/black-box.ts';
import { type Gate, openGate, pass } from './support/gate.ts';

let gate: Gate;
beforeAll(async () => {
  gate = await openGate();
});
afterAll(() => gate.close());

test("an observer's key lets in who watches, and nobody else", async () => {
  const host = await startHost({ kind: 'thread', listen: ['tcp://127.0.0.1:0'] });
  try {
    await host.fleet.add(1, host.launcher);
    const { token: _, engineToken: __, ...info } = host.outside;
    const token = info.observerToken!;
    await expect(connect({ ...info, token })).rejects.toThrow(RefusedError);
    await expect(connect({ ...info, token })).rejects.toThrow(/is for observer; it cannot act as client/);
    const watcher = await connect({ ...info, token }, { observe: true, output: 'ignore' });
    expect((await watcher.status()).engines).toHaveLength(1);
    await expect(watcher.engine(0).execute('1')).rejects.toThrow(/can watch this cluster, not use it/);
    await expect(watcher.remove([0])).rejects.toThrow(/Unknown request/);
    await watcher.close();
  } finally {
    await host.stop();
  }
});

test('a key that is taken back takes its sessions with it, and opens nothing any more', async () => {
  const host = await startHost({ kind: 'thread', listen: ['tcp://127.0.0.1:0'] });
  try {
    await host.fleet.add(1, host.launcher);
    const { controller, outside } = host;
    const watcher = await connect(outside, { observe: true, output: 'ignore' });
    const client = await connect(outside, { output: 'ignore' });
    const pending = expect(client.engine(0).apply(pass, gate.port, 'revoked')).rejects.toThrow(/its key was revoked/);
    await gate.arrived('revoked');
    expect(controller.keys.revoke(controller.keys.client.id)).toBe(true);
    expect(controller.keys.revoke(controller.keys.client.id)).toBe(false);
    await pending;
    await expect(connect(outside)).rejects.toThrow(/opens nothing any more: its key was revoked/);
    expect((await watcher.status()).clients).toBe(1);
    expect(controller.keys.revoke(controller.registry.get(0).key.id)).toBe(true);
    await expect.poll(() => watcher.engines[0]!.state, { timeout: 20_000 }).toBe('lost');
    await watcher.close();
  } finally {
    await host.stop();
  }
});

test('a limit is logged once for each client that meets it', async () => {
  const { log, of } = blackBox();
  const host = await startHost({ kind: 'thread', log, limits: { pendingCalls: 0 } });
  try {
    await host.fleet.add(1, host.launcher);
    for (const expected of [1, 2]) {
      const client = await openClient(host.info, { output: 'ignore' });
      await expect(client.engine(0).execute('1')).rejects.toThrow(LimitError);
      await expect(client.engine(0).execute('1')).rejects.toThrow(LimitError);
      expect(of('limit met')).toHaveLength(expected);
      expect(of('limit met').at(-1)!.fields).toEqual({ client: expected, limit: 'pendingCalls', max: 0 });
      await client.close();
    }
  } finally {
    await host.stop();
  }
});
