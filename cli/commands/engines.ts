/** `tutti engines`: more, fewer, or new engines in a running cluster. */
import type { Client } from '../../core/client/client.ts';
import { UsageError } from '../../core/errors.ts';
import { command, jsonOption, kindOption, nameOption, parseCount, parseIds, seconds, text } from '../arguments.ts';
import { printJson } from '../output.ts';
import { ranges } from '../ranges.ts';

const addCommand = command({
  command: 'add <count>',
  describe: 'Start more engines',
  builder: (y) =>
    y
      .positional('count', { type: 'string', demandOption: true, coerce: (given: string) => parseCount('add', given) })
      .option('kind', kindOption)
      .option('name', nameOption)
      .option('json', jsonOption),
  handler: ({ count, kind, name, json }) =>
    change(name, json, 'Added', (client) => client.add(count, kind as 'process' | undefined)),
});

const drainOption = {
  ...text('--drain', 'Seconds that they may take for what they have; they get nothing new meanwhile'),
  coerce: (given: string | string[] | undefined) => seconds('--drain', given),
};

function idsCommand(what: 'remove' | 'restart' | 'revoke', describe: string, done: string) {
  return command({
    command: `${what} <ids..>`,
    describe,
    builder: (y) =>
      y
        .positional('ids', {
          type: 'string',
          array: true,
          demandOption: true,
          describe: 'Such as 0,2 or 0-3',
          coerce: (given: string[]) => parseIds(what, given),
        })
        .option('name', nameOption)
        .option('drain', { ...drainOption, hidden: what !== 'remove' })
        .option('json', jsonOption),
    handler: ({ ids, name, json, drain }) =>
      change(name, json, done, async (client) => {
        if (drain !== undefined && what !== 'remove')
          throw new UsageError(`--drain is for tutti engines remove, not ${what}`);
        if (what === 'remove') await client.remove(ids, { drain: (drain ?? 0) * 1_000 });
        else await client[what](ids);
        return ids;
      }),
  });
}

async function change(
  name: string | undefined,
  json: boolean,
  done: string,
  work: (client: Client) => Promise<number[]>,
): Promise<void> {
  const { attach } = await import('../session.ts');
  await using client = await attach(name);
  const ids = await work(client);
  if (json) printJson(ids);
  else
    process.stdout.write(
      `${done} ${ids.length === 1 ? 'engine' : 'engines'} ${ranges(ids) || '(none)'} of cluster '${client.name}'\n`,
    );
}

export const enginesCommand = command({
  command: 'engines',
  describe: 'Add, remove, revoke or restart engines of a running cluster',
  builder: (y) =>
    y
      .command(addCommand)
      .command(idsCommand('remove', 'End engines and retire their ids', 'Removed'))
      .command(
        idsCommand('revoke', 'End engines that are not to be trusted: their keys open nothing any more', 'Revoked'),
      )
      .command(idsCommand('restart', 'Start engines anew, under their ids, with empty namespaces', 'Restarted'))
      .demandCommand(1, 'What with the engines? tutti engines add, remove, revoke or restart'),
  handler: async () => {},
});
