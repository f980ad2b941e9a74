/** What tutti's commands share, for those of plug-ins. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandTools, UsageError } from '../core/index.ts';
import { enginesOption, jsonOption, kindOption, nameOption } from './arguments.ts';
import { interruption } from './interruption.ts';
import { follow, printJson } from './output.ts';
import { openSession, type Where } from './session.ts';

/** ms that a command which was interrupted may take to end, once its cluster is closed. */
const PATIENCE = 5_000;

/** `given`: a script that the command line names, and what follows it. */
export function toolsOf(given?: { script: string | undefined; rest: readonly string[] }): CommandTools {
  return {
    ...(given && { given }),
    options: {
      engines: { ...enginesOption, describe: 'A cluster of this command alone, with so many engines' },
      kind: kindOption,
      name: nameOption,
      json: jsonOption,
    },
    async session(args, body) {
      const signal = interruption();
      const client = await openSession(args as Where, signal);
      let interrupt = (): void => {};
      const interrupted = new Promise<never>((_, reject) => {
        interrupt = () => reject(signal.reason);
        signal.addEventListener('abort', interrupt, { once: true });
      });
      const running = body(client, signal);
      try {
        // One that takes no notice of its signal ends with its cluster.
        await Promise.race([running, interrupted]);
      } finally {
        signal.removeEventListener('abort', interrupt);
        await client.close();
        // It may have something to put away.
        await Promise.race([running.catch(() => {}), sleep(PATIENCE, undefined, { ref: false })]);
      }
      signal.throwIfAborted();
    },
    interruption,
    follow: (client, result, { json = false, nameOf, only = false } = {}) =>
      follow(client, result, { json, nameOf, only }),
    printJson(value) {
      if (value === undefined) throw new UsageError('printJson takes a value that JSON has a form for; got undefined');
      printJson(value);
    },
  };
}
