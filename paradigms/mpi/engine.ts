/** The half on engines: worlds that this engine has a rank in, and what comes for them. */
import type { EngineHalf, EngineHost } from '../../core/index.ts';
import { type ChannelFrame, channelFrame } from './channel-link.ts';
import { tameExit } from './rank-exit.ts';
import { Run } from './run.ts';
import { ENTER, type RunSpec } from './run-spec.ts';
import { GONE, type Snapshot } from './shared-memory.ts';

/** Runs that others have begun and that have not begun here; and that have ended. Both may be forgotten some day. */
const WAITING = 64;
const ENDED = 1024;

export default function makeEngine(host: EngineHost): EngineHalf {
  const runs = new Map<number, Run>();
  const waiting = new Map<number, ((run: Run) => void)[]>();
  const ended = new Set<number>();
  tameExit();

  /** Now, or when its turn has come here. */
  const withRun = (world: number, then: (run: Run) => void): void => {
    const run = runs.get(world);
    if (run) then(run);
    else if (!ended.has(world)) {
      const before = waiting.get(world);
      if (before) before.push(then);
      else waiting.set(world, [then]);
      forgetOldest(waiting, WAITING);
    }
  };

  host.onLoss((loss) => {
    for (const run of runs.values()) {
      if (loss.type === 'engine') run.engineLost(loss.engine, 'its engine was lost');
      else if (loss.type === 'channel') run.engineLost(loss.engine, `the channel to its engine broke: ${loss.reason}`);
    }
  });

  const enter = async (spec: RunSpec, main: unknown, args: readonly unknown[]): Promise<unknown> => {
    const { world } = spec;
    const run = new Run(host, spec);
    runs.set(world, run);
    for (const then of waiting.get(world) ?? []) then(run);
    waiting.delete(world);
    try {
      return await run.run(main, args);
    } finally {
      runs.delete(world);
      ended.add(world);
      forgetOldest(ended, ENDED);
    }
  };

  return {
    frame(parts: Uint8Array[], { id }) {
      const frame: ChannelFrame = channelFrame(parts);
      withRun(frame.world, (run) => run.frame(id, frame));
    },
    /** The world's memory, from the rank that has made it; windows of ranks. */
    memory({ world, name, memory }: { world: number; name: string; memory: SharedArrayBuffer }, { id }) {
      withRun(world, (run) => run.gotMemory(id, name, memory));
    },
    snapshot: (world: number): Snapshot =>
      runs.get(world)?.snapshot() ?? (ended.has(world) ? GONE : { ...GONE, state: 'running' }),
    condemn({ world, waits }: { world: number; waits: string[] }) {
      runs.get(world)?.condemn(waits);
    },
    globals: { [ENTER]: enter },
  };
}

function forgetOldest(
  of: { size: number; keys(): Iterator<number>; delete(key: number): unknown },
  limit: number,
): void {
  if (of.size > limit) of.delete(of.keys().next().value as number);
}
