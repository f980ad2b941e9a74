/**
 * Messages between ranks: `npm run bench -- mpi`. Names and loop rules of the OSU benchmarks: sizes in powers of two, fewer rounds above
 * 8 KiB, warm-up skipped (until it gets no faster, or half of all rounds: code is compiled while it runs), windows of 64 for
 * bandwidth. mpi4py runs beside it where it is installed.
 */
import { type Cluster, cluster } from 'tutti';
import { type Comm, mpi as paradigm } from 'tutti/paradigms';
import { atLeast, below, report } from './measure.ts';
import { type Mpi4py, mpi4py } from './mpi4py.ts';

const MIB = 1 << 20;
const rounds = (bytes: number): number => (bytes > 8 * MIB ? 10 : bytes > 64 << 10 ? 500 : 5_000);

export async function mpi(): Promise<void> {
  const shared = mpi4py([]);
  const tcp = mpi4py(['--mca', 'btl', 'self,tcp']);
  if (!shared) console.log('  (mpi4py is not installed: apt-get install python3-mpi4py python3-numpy openmpi-bin)');
  const four = shared && mpi4py([], 4);
  const fourTcp = tcp && mpi4py(['--mca', 'btl', 'self,tcp'], 4);
  {
    await using client = await cluster({ engines: 4, kind: 'thread' });
    await blocking(client, shared, four);
    await awaiting(client, 'thread', shared, four);
    await contexts(client);
  }
  await using client = await cluster({ engines: 4, kind: 'process' });
  await awaiting(client, 'process', tcp, fourTcp);
  await killed(client);
}

/** Of rank 0. */
async function first<A extends unknown[]>(
  client: Cluster,
  ranks: number,
  main: (comm: Comm, ...args: A) => unknown,
  ...args: A
): Promise<any> {
  return (await client.use(paradigm).run(main, { ranks, args }))[0];
}

async function blocking(client: Cluster, peer: Mpi4py | undefined, four: Mpi4py | undefined): Promise<void> {
  const beside = (name: keyof Mpi4py, unit: string): { peer?: string } =>
    peer?.[name] === undefined ? {} : { peer: `mpi4py ${peer[name]} ${unit}` };
  const ping = (bytes: number): Promise<number> =>
    first(client, 2, pingBlocking, bytes, bytes <= 8 ? 20_000 : rounds(bytes));
  const us = await ping(8);
  report({
    what: 'osu_latency, sync, 8 B one way',
    value: `${us.toFixed(2)} µs`,
    goal: below(2, us, 'µs'),
    ...beside('latency', 'µs'),
  });
  for (const [bytes, name, factor] of [
    [MIB, 'mib', 0.9],
    [64 * MIB, 'mib64', 1],
  ] as const) {
    const rate = bytes / (await ping(bytes)) / 1e3;
    const goal =
      peer?.[name] === undefined ? {} : { goal: atLeast(Number((peer[name] * factor).toFixed(2)), rate, 'GB/s') };
    report({
      what: `osu_latency, sync, ${bytes / MIB} MiB`,
      value: `${rate.toFixed(2)} GB/s`,
      ...goal,
      ...beside(name, 'GB/s'),
    });
  }
  const object = await first(client, 2, objectBlocking, 0, 10_000);
  const twice = peer?.object === undefined ? {} : { goal: below(2 * peer.object, object, 'µs') };
  report({
    what: 'a small object, sync, one way',
    value: `${object.toFixed(2)} µs`,
    ...twice,
    ...beside('object', 'µs'),
  });
  for (const [bytes, name] of [
    [64 << 10, 'object64k'],
    [MIB, 'objectMib'],
  ] as const) {
    const rate = bytes / (await first(client, 2, objectBlocking, bytes, rounds(bytes))) / 1e3;
    const goal = peer?.[name] === undefined ? {} : { goal: atLeast(peer[name], rate, 'GB/s') };
    report({
      what: `an object with an array of ${bytes >> 10} kB, sync`,
      value: `${rate.toFixed(2)} GB/s`,
      ...goal,
      ...beside(name, 'GB/s'),
    });
  }
  for (const [ranks, beside] of [
    [2, peer],
    [4, four],
  ] as const) {
    const all = await first(client, ranks, allreduceBlocking, 8, 5_000);
    report({
      what: `osu_allreduce, sync, 8 B, ${ranks} ranks`,
      value: `${all.toFixed(2)} µs`,
      goal: below(ranks === 2 ? 5 : 80, all, 'µs'),
      ...(beside && { peer: `mpi4py ${beside.allreduce} µs` }),
    });
    report({
      what: `osu_barrier, sync, ${ranks} ranks`,
      value: `${(await first(client, ranks, barrierBlocking, 5_000)).toFixed(2)} µs`,
      ...(beside && { peer: `mpi4py ${beside.barrier} µs` }),
    });
  }
}

async function awaiting(
  client: Cluster,
  kind: 'thread' | 'process',
  peer: Mpi4py | undefined,
  four: Mpi4py | undefined,
): Promise<void> {
  const way = kind === 'thread' ? 'mpi4py' : 'mpi4py over tcp';
  const beside = (name: keyof Mpi4py, unit: string): { peer?: string } => {
    const value = peer?.[name] ?? four?.[name];
    return value === undefined ? {} : { peer: `${way} ${value} ${unit}` };
  };
  const us: number = await first(client, 2, pingAwaiting, 8, 10_000);
  report({
    what: `osu_latency, ${kind}, 8 B one way`,
    value: `${us.toFixed(1)} µs`,
    goal: below(kind === 'thread' ? 40 : 60, us, 'µs'),
    ...beside('latency', 'µs'),
  });
  const rate = MIB / (await first(client, 2, pingAwaiting, MIB, rounds(MIB))) / 1e3;
  report({
    what: `osu_latency, ${kind}, 1 MiB`,
    value: `${rate.toFixed(2)} GB/s`,
    ...(kind === 'process' && { goal: atLeast(1, rate, 'GB/s') }),
    ...beside('mib', 'GB/s'),
  });
  const object = MIB / (await first(client, 2, objectAwaiting, MIB, rounds(MIB))) / 1e3;
  const ahead =
    peer?.objectMib === undefined || kind === 'thread' ? {} : { goal: atLeast(peer.objectMib, object, 'GB/s') };
  report({
    what: `an object with an array of 1 MiB, ${kind}`,
    value: `${object.toFixed(2)} GB/s`,
    ...ahead,
    ...beside('objectMib', 'GB/s'),
  });
  for (const both of [false, true]) {
    const gbs = await first(client, 2, bandwidth, 64 << 10, 100, both);
    report({
      what: `${both ? 'osu_bibw' : 'osu_bw'}, ${kind}, 64 KiB`,
      value: `${gbs.toFixed(2)} GB/s`,
      ...beside(both ? 'bibw' : 'bw', 'GB/s'),
    });
  }
  report({
    what: `osu_mbw_mr, ${kind}, 8 B, 2 pairs`,
    value: `${Math.round(await first(client, 4, messageRate, 200))} messages/s`,
    ...beside('rate', 'messages/s'),
  });
  report({
    what: `osu_multi_lat, ${kind}, 8 B, 2 pairs`,
    value: `${(await first(client, 4, pingAwaiting, 8, 2_000)).toFixed(1)} µs`,
    ...beside('pairs', 'µs'),
  });
  for (const [what, main, name] of [
    ['osu_barrier', barriers, 'barrier'],
    ['osu_bcast', bcasts, 'bcast'],
    ['osu_allreduce', allreduces, 'allreduceKb'],
    ['osu_alltoall', alltoalls, 'alltoall'],
  ] as const) {
    const value = four?.[name];
    report({
      what: `${what}, ${kind}, 4 ranks, 1 kB`,
      value: `${(await first(client, 4, main, 1_000)).toFixed(1)} µs`,
      ...(value !== undefined && { peer: `${way} ${value} µs` }),
    });
  }
}

/** How long the others wait for a rank that was killed in the middle of a collective. */
async function killed(client: Cluster): Promise<void> {
  const result = client.use(paradigm).run(
    async (comm: Comm): Promise<number> => {
      let lost: unknown;
      for (let i = 0; lost === undefined; i++) {
        await comm.allreduceBuffer(new Float64Array(50_000)).catch((error) => (lost = error.rank));
        if (i === 3) console.log('going');
      }
      const told = performance.timeOrigin + performance.now();
      if (lost !== 2 || (await comm.shrink()).size !== 3) throw new Error('It is not rank 2 that is gone');
      return told;
    },
    { ranks: 4 },
  );
  const going = new Set<number>();
  await new Promise<void>((resolve) => {
    result.stdout$.subscribe(({ engine }) => void (going.add(engine).size === 4 && resolve()));
  });
  const start = performance.timeOrigin + performance.now();
  process.kill(client.engines[2]!.pid, 'SIGKILL');
  const told = (await result.settled()).flatMap((part) => (part.status === 'fulfilled' ? [part.value] : []));
  const ms = Math.max(...told) - start;
  report({
    what: 'rank 2 of 4 killed in allreduce, until all know',
    value: `${ms.toFixed(0)} ms`,
    goal: below(1_000, ms, 'ms'),
  });
}

async function contexts(client: Cluster): Promise<void> {
  const [us, grown, megabytes] = await first(client, 2, dups, 100_000);
  report({
    what: '100,000 dup and free, 2 thread ranks',
    value: `${us.toFixed(1)} µs each, ${grown} communicators left, heap ${megabytes.toFixed(1)} MB larger`,
    goal: below(1, grown, 'left'),
  });
}

/**
 * µs of a step: the mean of the last five blocks, once five in a row were no faster than what came before. That takes more rounds than
 * where nothing is compiled on the way.
 */
function steady({ sync }: Comm, count: number, step: () => void): number {
  const blocks: number[] = [];
  for (let best = Number.POSITIVE_INFINITY, same = 0; sync.bcast(same < 5 && blocks.length < 30); ) {
    const start = performance.now();
    for (let i = 0; i < count; i++) step();
    blocks.push(((performance.now() - start) * 1e3) / count);
    same = blocks.at(-1)! < best * 0.95 ? 0 : same + 1;
    best = Math.min(best, ...blocks);
  }
  return blocks.slice(-5).reduce((sum, us) => sum + us) / 5;
}

function pingBlocking(comm: Comm, bytes: number, count: number): number {
  const { rank, sync } = comm;
  const buffer = new Uint8Array(bytes);
  const step = (): void => {
    if (rank === 0) {
      sync.sendBuffer(buffer, 1);
      sync.recvBuffer(buffer, 1);
    } else {
      sync.recvBuffer(buffer, 0);
      sync.sendBuffer(buffer, 0);
    }
  };
  return steady(comm, count, step) / 2;
}

function objectBlocking(comm: Comm, bytes: number, count: number): number {
  const { rank, sync } = comm;
  const value = bytes ? { data: new Float64Array(bytes / 8) } : { k: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] };
  const step = (): void => {
    if (rank === 0) {
      sync.send(value, 1);
      sync.recv(1);
    } else {
      sync.recv(0);
      sync.send(value, 0);
    }
  };
  return steady(comm, count, step) / 2;
}

function allreduceBlocking(comm: Comm, bytes: number, count: number): number {
  const array = new Float64Array(bytes / 8);
  return steady(comm, count, () => comm.sync.allreduceBuffer(array));
}

function barrierBlocking(comm: Comm, count: number): number {
  return steady(comm, count, () => comm.sync.barrier());
}

/** Ranks in pairs: 0 with 1, 2 with 3. */
async function pingAwaiting(comm: Comm, bytes: number, count: number): Promise<number> {
  const buffer = new Uint8Array(bytes);
  const other = comm.rank ^ 1;
  const step = async (): Promise<void> => {
    if (comm.rank % 2) await comm.recvBuffer(buffer, other);
    await comm.sendBuffer(buffer, other);
    if (comm.rank % 2 === 0) await comm.recvBuffer(buffer, other);
  };
  for (let i = 0; i < count; i++) await step();
  const start = performance.now();
  for (let i = 0; i < count; i++) await step();
  return ((performance.now() - start) * 1e3) / count / 2;
}

async function objectAwaiting(comm: Comm, bytes: number, count: number): Promise<number> {
  const value = { data: new Float64Array(bytes / 8) };
  const other = comm.rank ^ 1;
  const step = async (): Promise<void> => {
    if (comm.rank) await comm.recv(other);
    await comm.send(value, other);
    if (!comm.rank) await comm.recv(other);
  };
  for (let i = 0; i < count; i++) await step();
  const start = performance.now();
  for (let i = 0; i < count; i++) await step();
  return ((performance.now() - start) * 1e3) / count / 2;
}

/** Windows of 64 messages, and four bytes in answer. */
async function bandwidth(comm: Comm, bytes: number, count: number, both: boolean): Promise<number> {
  const out = new Uint8Array(bytes);
  const into = Array.from({ length: 64 }, () => new Uint8Array(bytes));
  const other = comm.rank ^ 1;
  const round = async (): Promise<void> => {
    const open: PromiseLike<unknown>[] = [];
    if (both || comm.rank === 1) open.push(...into.map((place) => comm.irecvBuffer(place, other)));
    if (both || comm.rank === 0) open.push(...into.map(() => comm.isendBuffer(out, other)));
    await Promise.all(open);
    if (comm.rank === 1) await comm.send(1, 0, 1);
    else await comm.recv(1, 1);
  };
  for (let i = 0; i < count / 10; i++) await round();
  const start = performance.now();
  for (let i = 0; i < count; i++) await round();
  return ((both ? 2 : 1) * count * 64 * bytes) / (performance.now() - start) / 1e6;
}

async function messageRate(comm: Comm, count: number): Promise<number> {
  const out = new Uint8Array(8);
  const into = Array.from({ length: 64 }, () => new Uint8Array(8));
  const other = comm.rank ^ 1;
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    if (comm.rank % 2) {
      await Promise.all(into.map((place) => comm.irecvBuffer(place, other)));
      await comm.send(1, other, 1);
    } else {
      await Promise.all(into.map(() => comm.isendBuffer(out, other)));
      await comm.recv(other, 1);
    }
  }
  await comm.barrier();
  return (2 * count * 64) / (performance.now() - start) / 1e-3;
}

async function barriers(comm: Comm, count: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < count; i++) await comm.barrier();
  return ((performance.now() - start) * 1e3) / count;
}
async function bcasts(comm: Comm, count: number): Promise<number> {
  const array = new Uint8Array(1_000);
  const start = performance.now();
  for (let i = 0; i < count; i++) await comm.bcastBuffer(array);
  await comm.barrier();
  return ((performance.now() - start) * 1e3) / count;
}
async function allreduces(comm: Comm, count: number): Promise<number> {
  const array = new Float64Array(125);
  const start = performance.now();
  for (let i = 0; i < count; i++) await comm.allreduceBuffer(array);
  return ((performance.now() - start) * 1e3) / count;
}
async function alltoalls(comm: Comm, count: number): Promise<number> {
  const array = new Uint8Array(1_000);
  const counts = new Array<number>(comm.size).fill(1_000 / comm.size);
  const start = performance.now();
  for (let i = 0; i < count; i++) await comm.alltoallv(array, counts);
  return ((performance.now() - start) * 1e3) / count;
}

async function dups(comm: Comm, count: number): Promise<[number, number, number]> {
  const before = comm.core.world.communicators.size;
  for (let i = 0; i < count / 10; i++) await comm.sync.dup().free();
  const heap = process.memoryUsage().heapUsed;
  const start = performance.now();
  for (let i = 0; i < count; i++) await comm.sync.dup().free();
  const us = ((performance.now() - start) * 1e3) / count;
  return [us, comm.core.world.communicators.size - before, (process.memoryUsage().heapUsed - heap) / 1e6];
}
