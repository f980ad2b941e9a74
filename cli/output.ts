/** What commands print: engines' output line by line, tables, JSON. */
import type { AsyncResult } from '../core/client/async-result.ts';
import type { Client } from '../core/client/client.ts';
import { cells } from './display/cells.ts';

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** On a terminal, unless NO_COLOR (or the terminal) says otherwise. */
export function coloured(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && stream.hasColors();
}

/** Puts `[engine] ` before every line of a text. */
export function prefixed(engine: number | string, text: string, stream: NodeJS.WriteStream): string {
  const prefix = coloured(stream) ? `\u001b[2m[${engine}]\u001b[22m ` : `[${engine}] `;
  return text
    .split('\n')
    .map((line) => `${prefix}${line}\n`)
    .join('');
}

/**
 * Prints what the engines print as it comes, in whole lines. `finish` prints what had no newline at its end.
 * @param nameOf what an engine is called at the start of its lines; its id by default
 * @param only not what engines print for nobody
 */
export function follow(
  client: Client,
  result: AsyncResult<any>,
  {
    json,
    nameOf = (engine) => engine,
    only = false,
  }: { json: boolean; nameOf?: ((engine: number) => number | string) | undefined; only?: boolean },
): { finish(): void } {
  const out = lines(json ? process.stderr : process.stdout, nameOf);
  const err = lines(process.stderr, nameOf);
  const subscriptions = [
    result.stdout$.subscribe(out.write),
    result.stderr$.subscribe(err.write),
    client.events$.subscribe((event) => {
      if (!only && event.type === 'output') (event.stream === 'stdout' ? out : err).write(event);
    }),
  ];
  return {
    finish() {
      for (const subscription of subscriptions) subscription.unsubscribe();
      out.finish();
      err.finish();
    },
  };
}

function lines(stream: NodeJS.WriteStream, nameOf: (engine: number) => number | string) {
  const rest = new Map<number, string>();
  const print = (engine: number, text: string): void => void stream.write(prefixed(nameOf(engine), text, stream));
  return {
    write({ engine, text }: { engine: number; text: string }): void {
      const whole = (rest.get(engine) ?? '') + text;
      const end = whole.lastIndexOf('\n');
      if (end >= 0) print(engine, whole.slice(0, end));
      rest.set(engine, whole.slice(end + 1));
    },
    finish(): void {
      for (const [engine, text] of rest) if (text) print(engine, text);
    },
  };
}

export function table(header: readonly string[], rows: readonly (string | number)[][]): string {
  return `${cells(header, rows).lines.join('\n')}\n`;
}
