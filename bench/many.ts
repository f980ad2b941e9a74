/** 128 engines on one machine; part of `npm run bench -- core`, or alone: `-- many`. */
import { loadavg } from 'node:os';
import { cluster } from 'tutti';
import { below, latency, ms, report, rssOf } from './measure.ts';
import { forked } from './peers.ts';
import { alone, cpuOf, ownCpu } from './processor-time.ts';

const ENGINES = 128;
const ROUNDS = 200;

export async function many(): Promise<void> {
  console.log(`  load average before: ${loadavg()[0]!.toFixed(1)} (figures of a busy machine say little)`);
  for (const kind of ['process', 'thread'] as const) {
    const begun = performance.now();
    const usedBefore = ownCpu();
    const client = await cluster({ engines: ENGINES, kind });
    const ready = (performance.now() - begun) / 1e3;
    const goal = kind === 'process';
    const pids = [...new Set(client.engines.map(({ pid }) => pid))].filter((pid) => pid !== process.pid);
    /** ms of processor time, of this process and all engines. */
    const used = (): number => ownCpu() - usedBefore + pids.map(cpuOf).reduce((a, b) => a + b, 0);
    const starting = used();
    report({
      what: `${ENGINES} ${kind} engines ready`,
      value: `${ready.toFixed(1)} s${alone(starting / 1e3, 's')}`,
      ...(goal && { goal: below(30, ready, 's') }),
    });
    await latency(40, () => client.all.execute('1 + 1'));
    const usedUntilNow = used();
    const l = await latency(ROUNDS, () => client.all.execute('1 + 1'), 0);
    const each = (used() - usedUntilNow) / ROUNDS;
    report({
      what: '… execute on all',
      value: `${ms(l)}${alone(each, 'ms')}`,
      ...(goal && { goal: below(60, l.p50, 'ms at p50') }),
    });
    const memory = [process.pid, ...pids].reduce((sum, pid) => sum + rssOf(pid), 0);
    report({ what: '… memory in all: resident', value: `${(memory / 1e3).toFixed(2)} GB` });
    const idle = await idleLoad(used);
    report({ what: '… idle, of one core', value: `${(idle * 100).toFixed(1)} %` });
    const closing = performance.now();
    await client.close();
    report({ what: '… closed', value: `${((performance.now() - closing) / 1e3).toFixed(2)} s` });
  }
  const peer = await forked(ENGINES);
  const p = await latency(ROUNDS, () => peer.round(1), 40);
  report({ what: `beside it: bare fork messages to ${ENGINES} and back`, value: ms(p) });
  await peer.close();
}

/** What heartbeats cost, over five seconds. */
async function idleLoad(used: () => number): Promise<number> {
  const before = used();
  const begun = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  return (used() - before) / (performance.now() - begun);
}
