/** `tutti keys`: the keys that let clients and engines into a running cluster. */
import { command, jsonOption, nameOption, seconds, text } from '../arguments.ts';
import { printJson } from '../output.ts';

const rotateCommand = command({
  command: 'rotate',
  describe: 'Replace keys and certificates; the connection file then has the new ones',
  builder: (y) =>
    y
      .option('grace', {
        ...text('--grace', 'Seconds for which the old keys still let in (default 0)'),
        coerce: (given: string | string[] | undefined) => seconds('--grace', given),
      })
      .option('authority', {
        type: 'boolean' as const,
        default: false,
        describe: 'Also another authority for certificates; the one before is trusted for as long',
      })
      .option('name', nameOption)
      .option('json', jsonOption),
  handler: async ({ grace = 0, authority, name, json }) => {
    const { attach } = await import('../session.ts');
    await using client = await attach(name);
    await client.rotateKeys({ grace: grace * 1_000, authority });
    const what = authority ? 'new keys and a new authority' : 'new keys';
    if (json) printJson({ name: client.name, grace, authority });
    else process.stdout.write(`Cluster '${client.name}' has ${what}; the old ones are good for ${grace} s more\n`);
  },
});

export const keysCommand = command({
  command: 'keys',
  describe: 'Replace the keys of a running cluster',
  builder: (y) => y.command(rotateCommand).demandCommand(1, 'What with the keys? tutti keys rotate'),
  handler: async () => {},
});
