/** Clusters whose links are as between machines far apart: what takes 50 ms and more each way, and what comes to nothing one way. */
import { type Cluster, type ClusterEvent, connect, type Launcher } from 'tutti';
import { ANY, mpi, taskFarm, tupleSpace } from 'tutti/paradigms';
import { afterEach, describe, expect, test } from 'vitest';
import { type LinkOptions, type SlowLink, slowLink } from '../../bench/hosts/slow-link.ts';
import { processLauncher } from '../../core/launch/process.ts';
import { first } from './support/conditions.ts';
import { overNats, sharedNats, withNats } from './support/nats.ts';
import { ownHome, urlOf, using } from './support/shared.ts';

ownHome();
const FAR: LinkOptions = { delay: 50, jitter: 20 };
/** As many heartbeats are under way on such a link at a time. */
const QUICK = { beat: 100, misses: 3 };

const links: SlowLink[] = [];
afterEach(async () => {
  for (const link of links.splice(0)) await link.close();
});
async function linkTo(target: string, options: LinkOptions = FAR): Promise<SlowLink> {
  const link = await slowLink(() => target, options);
  links.push(link);
  return link;
}

/** Engines each of which has a link of its own. */
function farAway(ways: SlowLink[], options?: LinkOptions): Launcher {
  return {
    kind: 'process',
    scheme: 'tcp',
    launch(spec, tell) {
      const way = linkTo(spec.urls[0]!, options);
      const started = way.then((link) => {
        ways[spec.id] = link;
        return processLauncher().launch({ ...spec, urls: [link.url] }, tell);
      });
      return {
        pid: 0,
        exited: started.then(({ exited }) => exited),
        onOutput: (listener) => void started.then((handle) => handle.onOutput(listener)),
        kill: () => void started.then((handle) => handle.kill()),
      };
    },
  };
}

function lossesOf({ events$ }: Cluster): ClusterEvent[] {
  const lost: ClusterEvent[] = [];
  events$.subscribe((event) => event.type === 'engine-lost' && lost.push(event));
  return lost;
}

describe('engines and a client that are far away', () => {
  test('do what near ones do, and nobody is given up', async () => {
    const launcher = farAway([]);
    await using({ ...QUICK, engines: 3, launcher, name: 'far', listen: ['tcp://127.0.0.1:0'] }, async (home) => {
      const lost = lossesOf(home);
      const info = urlOf('tcp')(home);
      const link = await linkTo(info.urls[0]!);
      const guest = await connect({ ...info, urls: [link.url] }, { output: 'ignore' });
      expect(await guest.all.apply((n: number) => n + 1, 1)).toEqual([2, 2, 2]);
      await home.engine(0).execute('let order = []');
      // What is said later, and is on one such link instead of two, is heard first.
      const calls = [guest, home].map((one, i) => one.engine(0).execute(`order.push(${i})`));
      await Promise.all(calls);
      expect(await guest.engine(0).pull('order')).toEqual([1, 0]);
      const made = guest.engine(0).apply((n: number) => new Uint8Array(n).fill(1), 300_000);
      expect(await guest.engine(2).apply((b: Uint8Array) => b.reduce((x, y) => x + y, 0), made)).toBe(300_000);
      const numbers = Array.from({ length: 300 }, (_, i) => i);
      expect(await guest.use(taskFarm).map(numbers, (n) => n * n)).toEqual(numbers.map((n) => n * n));
      const space = guest.use(tupleSpace, { name: 'far' });
      await Promise.all(numbers.map((n) => space.out(['n', n])));
      const taken = await Promise.all(numbers.map(() => space.take(['n', ANY])));
      expect(taken.map(([, n]) => n).sort((a: number, b: number) => a - b)).toEqual(numbers);
      expect(lost).toEqual([]);
      await guest.close();
    });
  });

  test('may take their time for what is large', async () => {
    const ways: SlowLink[] = [];
    const launcher = farAway(ways, { rate: 2 << 20 });
    // Whoever is silent for three windows or thirty beats is cut off; this takes longer than either.
    const options = { ...QUICK, beat: 50, clientWindow: 300, listen: ['tcp://127.0.0.1:0'] };
    await using({ ...options, engines: 1, launcher, name: 'slow' }, async (home) => {
      const lost = lossesOf(home);
      const info = urlOf('tcp')(home);
      const link = await linkTo(info.urls[0]!, { rate: 2 << 20 });
      const guest = await connect({ ...info, urls: [link.url] }, { output: 'ignore', window: 300 });
      const size = 4 << 20;
      await guest.all.push({ there: new Uint8Array(size).fill(3) });
      const [back] = await guest.all.pull<Uint8Array>('there');
      expect([back!.length, back!.at(-1)]).toEqual([size, 3]);
      expect([links.map(({ connections }) => connections), lost]).toEqual([[2, 1], []]);
      await guest.close();
    });
  });
});

describe('a link that is cut one way, and nobody is told', () => {
  test.each(['there', 'back'] as const)(
    '%s: the engine is lost, its tasks are done elsewhere, and it returns',
    async (direction) => {
      const ways: SlowLink[] = [];
      await using({ ...QUICK, lostAfter: 1_000, engines: 2, launcher: farAway(ways, {}) }, async (home) => {
        const farm = home.use(taskFarm, { attempts: 5 });
        const items = Array.from({ length: 200 }, (_, i) => i);
        const mapped = farm.map(items, (i) => new Promise((done) => setTimeout(done, 20, i + 1)), { chunk: 1 });
        const gone = first(home.events$, (event) => event.type === 'engine-lost');
        const values = mapped.then((all) => all);
        await first(mapped.progress$, ({ done }) => done > 10);
        ways[1]!.cut(direction);
        expect(await gone).toMatchObject({ engine: { id: 1 } });
        expect(await values).toEqual(items.map((i) => i + 1));
        ways[1]!.restore();
        await home.waitForEngines(2);
        expect(await home.all.execute('engine.id')).toEqual([0, 1]);
        expect(home.engines[1]!.incarnation).toBeGreaterThan(1);
      });
    },
  );
});

withNats('by way of a NATS server that is far away', () => {
  const server = sharedNats();

  test('ranks talk to each other, and nobody is given up', async () => {
    const near = server().url('far');
    const link = await linkTo(`tcp://${server().address}`);
    const far = near.replace(server().address, new URL(link.url).host);
    const launcher = overNats(() => far, { apart: true });
    await using({ ...QUICK, engines: 3, launcher, listen: [near] }, async (home) => {
      const lost = lossesOf(home);
      const ranks = home.use(mpi).run(
        async (comm) => {
          const [next, before] = [(comm.rank + 1) % comm.size, (comm.rank + comm.size - 1) % comm.size];
          let token = comm.rank;
          for (let i = 0; i < 6; i++) {
            const [got] = await Promise.all([comm.recv(before), comm.send(token, next)]);
            token = got as number;
          }
          return [
            token,
            await comm.allreduce(comm.rank),
            (await comm.bcast(comm.rank === 0 ? 'word' : undefined, 0)) as string,
          ];
        },
        { ranks: 3 },
      );
      expect(await ranks).toEqual([0, 1, 2].map((rank) => [rank, 3, 'word']));
      expect(lost).toEqual([]);
    });
  });
});
