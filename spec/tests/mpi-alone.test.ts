/** A main that is its only rank, without a cluster. */
import { expect, test } from 'vitest';
import { mpiAlone } from '../../paradigms/index.ts';

test('one rank, with all that communicators can do', async () => {
  const got = await mpiAlone(async (comm, more) => {
    const sent = comm.ssend('me', 0, 1);
    const grid = await comm.cart([1], [true]);
    await using mutex = await comm.mutex();
    const pool = (await comm.pool())!;
    const squares = await pool.map((x: number) => x * x, [2, 3]);
    await pool.close();
    const window = await comm.window(Float64Array, 1);
    await window.accumulate(0, 0, Float64Array.of(2.5));
    return [
      comm.rank,
      comm.size,
      await comm.recv(),
      await sent,
      await comm.allreduce(more),
      grid?.neighbors,
      await mutex.run(() => 'inside'),
      squares,
      (await window.get(0))[0],
    ];
  }, 7);
  expect(got).toEqual([0, 1, 'me', undefined, 7, [0, 0], 'inside', [4, 9], 2.5]);
});

test('its end: errors, open requests, abort, use afterwards, spawn', async () => {
  await expect(
    mpiAlone(() => {
      throw new RangeError('boom');
    }),
  ).rejects.toThrow('boom');
  await expect(mpiAlone((comm) => void comm.recv(0))).rejects.toMatchObject({ code: 'MPI_LEAKED_REQUESTS' });
  await expect(mpiAlone((comm) => comm.abort(3))).rejects.toMatchObject({ code: 'MPI_ABORTED', exitCode: 3 });
  const kept = await mpiAlone((comm) => [comm]);
  expect(() => kept[0]!.send(1, 0)).toThrow('This run has ended');
  await expect(mpiAlone((comm) => comm.spawn(1, () => {}))).rejects.toThrow(/spawn takes a cluster/);
  await expect(mpiAlone(5 as never)).rejects.toThrow('mpiAlone takes a function main');
});
