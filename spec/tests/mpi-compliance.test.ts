import path from 'node:path';
import { paradigmCompliance } from 'tutti/compliance';
import { type Comm, mpi, SUM } from 'tutti/paradigms';
import { expect, test } from 'vitest';

paradigmCompliance(
  {
    paradigm: mpi,
    plugin: path.resolve(import.meta.dirname, '../../dist/paradigms/index.js'),
    async exercise(api, client) {
      const ranks = client.engines.length;
      const round = async (comm: Comm): Promise<[number, number]> => {
        const next = (comm.rank + 1) % comm.size;
        const came = await comm.sendrecv<number>(comm.rank, next);
        return [came, await comm.allreduce(comm.rank, SUM)];
      };
      const sum = (ranks * (ranks - 1)) / 2;
      expect(await api.run(round, { ranks })).toEqual(
        Array.from({ length: ranks }, (_, rank) => [(rank + ranks - 1) % ranks, sum]),
      );
    },
    endless: async (api) => await api.run((comm: Comm) => (comm.rank ? new Promise(() => {}) : comm.recv())),
    failure: {
      provoke: async (api) => await api.run((comm: Comm) => comm.send(1, 5), { ranks: 1 }),
      name: 'MpiError',
    },
    builtIn: true,
    report() {},
  },
  { test },
);
