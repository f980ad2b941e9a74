/**
 * What the machine itself allows: bare Node processes on the same hosts, started at the same pace, each with one thread and one
 * plain socket to a process in the controller's place; asked all at once, and given timers to wait for. Nothing that a system for
 * distributed computing needs is there, so this is a floor and no peer.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { availableParallelism } from 'node:os';
import { Pace } from '../../core/launch/pace.ts';
import { type Latency, latency } from '../measure.ts';
import { cpuOf, ownCpu } from '../processor-time.ts';
import { spawnIn } from './namespaced.ts';

const PORT = 7776;
const ASK = 1;
const WAIT = 2;

export interface Floor {
  /** s until all have joined, and how much processor time (ms) that took. */
  readonly join: number;
  readonly joinCpu: number;
  readonly roundTrip: Latency;
  /** Share of the time in which all of them waited for a timer. */
  readonly efficiency: number;
  /** ms of processor time for that. */
  readonly tasksCpu: number;
}

/** @param tasks timers for each, one after the other @param task ms of one */
export async function bareFloor(hosts: readonly string[], tasks: number, task: number): Promise<Floor> {
  const sockets: Socket[] = [];
  const told = new Map<Socket, () => void>();
  const server = createServer({ noDelay: true }, (socket) => {
    socket
      .on('error', () => {})
      .on('data', (bytes) => {
        for (const _ of bytes) told.get(socket)?.();
      });
    sockets.push(socket);
    server.emit('joined');
  });
  await once(server.listen(PORT, '10.77.0.1'), 'listening');
  const children: ChildProcess[] = [];
  const used = (): number => ownCpu() + children.reduce((sum, { pid }) => sum + cpuOf(pid!), 0);
  const before = used();
  const began = performance.now();
  const program = `const socket = require('node:net').connect({ port: ${PORT}, host: '10.77.0.1', noDelay: true });
    const tell = () => socket.write(Buffer.of(1));
    socket.on('data', (bytes) => { for (const byte of bytes) byte === ${ASK} ? tell() : setTimeout(tell, ${task}); });
    socket.on('close', () => process.exit());`;
  const pace = new Pace(2 * availableParallelism());
  const start = async (namespace: string, i: number): Promise<void> => {
    const joined = once(server, 'joined');
    children.push(spawnIn(namespace, `bare${i}`, ['-e', program], { stdio: 'ignore' }));
    await joined;
  };
  await Promise.all(hosts.map((namespace, i) => pace.run(() => start(namespace, i))));
  while (sockets.length < hosts.length) await once(server, 'joined');
  const join = (performance.now() - began) / 1e3;
  const joinCpu = used() - before;
  /** Each is asked, and asked again when it has answered, so many times. */
  const all = (what: number, times: number): Promise<unknown> =>
    Promise.all(
      sockets.map(
        (socket) =>
          new Promise<void>((resolve) => {
            let left = times;
            const ask = (): unknown => (left-- ? socket.write(Buffer.of(what)) : resolve());
            told.set(socket, ask);
            ask();
          }),
      ),
    );
  const roundTrip = await latency(100, () => all(ASK, 1), 20);
  const usedBefore = used();
  const started = performance.now();
  await all(WAIT, tasks);
  const efficiency = (tasks * task) / (performance.now() - started);
  const tasksCpu = used() - usedBefore;
  const gone = Promise.all(children.map((child) => once(child, 'exit')));
  for (const socket of sockets) socket.destroy();
  server.close();
  await gone;
  return { join, joinCpu, roundTrip, efficiency, tasksCpu };
}
