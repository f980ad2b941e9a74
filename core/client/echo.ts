/** Prints what engines print in this process: whole lines, each with its engine, so that engines do not write into each other's. */
import type { Printed } from './call.ts';

export interface Echo {
  print(printed: Printed): void;
  /** What these engines have printed of a line so far is all there is. */
  flush(engines: readonly number[]): void;
}

const STREAMS = ['stdout', 'stderr'] as const;

export function lineEcho(): Echo {
  const begun = new Map<string, string>();
  return {
    print({ engine, stream, text }) {
      const key = `${engine} ${stream}`;
      const lines = ((begun.get(key) ?? '') + text).split('\n');
      const last = lines.pop() ?? '';
      if (last) begun.set(key, last);
      else begun.delete(key);
      if (lines.length) process[stream].write(lines.map((line) => `[${engine}] ${line}\n`).join(''));
    },
    flush(engines) {
      if (!begun.size) return;
      for (const engine of engines) {
        for (const stream of STREAMS) {
          const line = begun.get(`${engine} ${stream}`);
          if (begun.delete(`${engine} ${stream}`)) process[stream].write(`[${engine}] ${line}\n`);
        }
      }
    },
  };
}

export const silentEcho: Echo = { print() {}, flush() {} };
