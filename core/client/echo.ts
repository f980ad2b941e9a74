/** Passes on what engines print: whole lines, so that engines do not write into each other's. */
import type { Printed } from './call-parts.ts';
import { printLines } from './program.ts';

export interface Echo {
  print(printed: Printed): void;
  /** What the engines of this call have printed of a line so far is all there is. */
  flush(call: { readonly parts: readonly { readonly engine: number }[] }): void;
}

export interface PrintedLines {
  engine: number;
  stream: 'stdout' | 'stderr';
  /** Whole lines, without their ends. */
  lines: readonly string[];
}

const STREAMS = ['stdout', 'stderr'] as const;

/** By default it prints them in this process, each with its engine. */
export function lineEcho(show: (printed: PrintedLines) => void = printHere): Echo {
  const begun = new Map<string, string>();
  return {
    print({ engine, stream, text }) {
      const key = `${engine} ${stream}`;
      const lines = ((begun.get(key) ?? '') + text).split('\n');
      const last = lines.pop() ?? '';
      if (last) begun.set(key, last);
      else begun.delete(key);
      if (lines.length) show({ engine, stream, lines });
    },
    flush(call) {
      if (!begun.size) return;
      for (const { engine } of call.parts) {
        for (const stream of STREAMS) {
          const line = begun.get(`${engine} ${stream}`);
          if (line === undefined) continue;
          begun.delete(`${engine} ${stream}`);
          show({ engine, stream, lines: [line] });
        }
      }
    },
  };
}

function printHere({ engine, stream, lines }: PrintedLines): void {
  const marked = lines.map((line) => `[${engine}] ${line}`);
  printLines(stream, marked);
}

export const silentEcho: Echo = { print() {}, flush() {} };
