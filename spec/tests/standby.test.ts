/** A controller that waits for what another one has, on one machine. */
import { cluster, StoreLockedError } from 'tutti';
import { taskFarm } from 'tutti/paradigms';
import { expect, test } from 'vitest';
import { inFolder } from './support/shared.ts';

test('it waits for the folder, takes over with what is in it, or is told to give up', () =>
  inFolder(async (folder) => {
    const durable = `${folder}/store`;
    const first = await cluster({ engines: 1, kind: 'thread', durable, output: 'ignore' });
    await expect(cluster({ engines: 0, durable })).rejects.toThrow(StoreLockedError);
    const giveUp = new AbortController();
    const given = cluster({ engines: 0, durable, standby: true, signal: giveUp.signal });
    giveUp.abort(new Error('no more'));
    await expect(given).rejects.toThrow('no more');

    let active = 0;
    const told = new Promise<void>((resolve) => {
      const standingBy = (pid: number): void => {
        active = pid;
        resolve();
      };
      second = cluster({ engines: 1, kind: 'thread', durable, standby: true, standingBy, output: 'ignore' });
    });
    await told;
    expect(active).toBe(process.pid);
    const task = first
      .use(taskFarm)
      .with({ detached: true, label: 'left' })
      .submit((x: number) => x * 2, 21);
    expect(await task).toBe(42);
    await first.close();
    const home = await second;
    expect(await home.use(taskFarm).submit((x: number) => x + 1, 1)).toBe(2);
    await home.close();
  }));

let second: ReturnType<typeof cluster>;
