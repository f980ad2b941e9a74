/** Prints what engines print in this process: whole lines, each with its engine, so that engines do not write into each other's. */
import type { Printed } from './call.ts';
import { printLines } from './program.ts';

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
      if (lines.length) show(engine, stream, lines);
    },
    flush(engines) {
      if (!begun.size) return;
      for (const engine of engines) {
        for (const stream of STREAMS) {
          const line = begun.get(`${engine} ${stream}`);
          if (line === undefined) continue;
          begun.delete(`${engine} ${stream}`);
          show(engine, stream, [line]);
        }
      }
    },
  };
}

function show(engine: number, stream: Printed['stream'], lines: readonly string[]): void {
  const marked = lines.map((line) => `[${engine}] ${line}`);
  printLines(stream, marked);
}

export const silentEcho: Echo = { print() {}, flush() {} };
