/** The half on engines: worlds that this engine has a rank in, and what comes for them. */
import type { EngineHalf, EngineHost } from '../../core/index.ts';
import { type ChannelFrame, channelFrame } from './channel-link.ts';
import { tameExit } from './rank-exit.ts';
import { Run, type Worlds } from './run.ts';
import { ENTER, type RunSpec } from './run-spec.ts';
import { GONE, type Snapshot } from './shared-memory.ts';
import type { Wiring } from './wiring.ts';

/** Worlds that others have begun and that have not begun here; and that have ended. Both may be forgotten some day. */
const WAITING = 64;
const ENDED = 1024;

export default function makeEngine(host: EngineHost): EngineHalf {
  const here = new Map<number, Wiring>();
  const waiting = new Map<number, ((wiring: Wiring) => void)[]>();
  const ended = new Set<number>();
  tameExit();

  /** Now, or when its turn has come here. */
  const withWorld = (world: number, then: (wiring: Wiring) => void): void => {
    const wiring = here.get(world);
    if (wiring) then(wiring);
    else if (!ended.has(world)) {
      const before = waiting.get(world);
      if (before) before.push(then);
      else waiting.set(world, [then]);
      forgetOldest(waiting, WAITING);
    }
  };

  const worlds: Worlds = {
    add(wiring) {
      const { world } = wiring.spec;
      here.set(world, wiring);
      for (const then of waiting.get(world) ?? []) then(wiring);
      waiting.delete(world);
    },
    remove({ spec: { world } }) {
      here.delete(world);
      ended.add(world);
      forgetOldest(ended, ENDED);
    },
  };

  host.onLoss((loss) => {
    for (const wiring of [...here.values()]) {
      if (loss.type === 'engine') wiring.engineLost(loss.engine, 'its engine was lost');
      else if (loss.type === 'channel')
        wiring.engineLost(loss.engine, `the channel to its engine broke: ${loss.reason}`);
    }
  });

  const enter = (spec: RunSpec, main: unknown, args: readonly unknown[]): Promise<unknown> =>
    new Run(host, spec, worlds).run(main, args);

  return {
    frame(parts: Uint8Array[], { id }) {
      const frame: ChannelFrame = channelFrame(parts);
      withWorld(frame.world, (wiring) => wiring.frame(id, frame));
    },
    /** The world's memory, from the rank that has made it; windows of ranks. */
    memory({ world, name, memory }: { world: number; name: string; memory: SharedArrayBuffer }, { id }) {
      withWorld(world, (wiring) => wiring.gotMemory(id, name, memory));
    },
    snapshot: (world: number): Snapshot =>
      here.get(world)?.snapshot() ?? (ended.has(world) ? GONE : { ...GONE, state: 'running' }),
    condemn({ world, waits }: { world: number; waits: string[] }) {
      here.get(world)?.condemn(waits);
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
