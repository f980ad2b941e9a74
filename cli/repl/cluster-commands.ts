/** Commands about the engines: which there are, which are meant, what is in them. */

import type { NameInfo } from '../../core/index.ts';
import { parseIds } from '../arguments.ts';
import { cells } from '../display/cells.ts';
import { size } from '../display/numbers.ts';
import { engineTable } from '../engine-table.ts';
import { ranges } from '../ranges.ts';
import type { Command } from './commands.ts';

export const clusterCommands: Command[] = [
  {
    name: 'targets',
    takes: '[0,2 | 0-3 | all]',
    help: 'Choose the engines that % lines run on, or show them',
    run(console, rest) {
      if (rest === 'all') console.targets = undefined;
      else if (rest) {
        const ids = parseIds('.targets', [rest]);
        console.client.view(ids);
        console.targets = ids;
      }
      const { targets } = console.view;
      console.screen.show(console.targets ? `engines ${ranges(targets)}` : `all engines: ${ranges(targets) || 'none'}`);
      if (rest) console.recording.add({ kind: 'targets', targets: console.targets });
    },
  },
  {
    name: 'engines',
    takes: '',
    help: 'The engines, with their state and load',
    async run(console) {
      const { engines } = await console.ask(console.client.status());
      console.screen.show(engineTable(engines).trimEnd() || 'No engines');
    },
  },
  {
    name: 'who',
    takes: '[expression]',
    help: "Names in the engines' namespaces with type and size, or the properties of a value there",
    async run(console, rest) {
      const result = console.started.aside(() => console.view.names(rest || undefined));
      const { targets } = result;
      const lists = await console.ask(Promise.resolve(result)).finally(() => void result.cancel());
      const found = new Map<string, { info: NameInfo; engines: number[] }>();
      for (const [i, list] of lists.entries()) {
        for (const info of list.filter(({ inherited }) => !inherited)) {
          const key = JSON.stringify(info);
          const group = found.get(key) ?? { info, engines: [] };
          group.engines.push(targets[i]!);
          found.set(key, group);
        }
      }
      const rows = [...found.values()]
        .sort((a, b) =>
          a.info.name < b.info.name ? -1 : a.info.name > b.info.name ? 1 : a.engines[0]! - b.engines[0]!,
        )
        .map(({ info, engines }) => [
          info.name,
          info.type,
          info.size ?? '',
          info.bytes === undefined ? '' : size(info.bytes),
          `[${ranges(engines, ',')}]`,
        ]);
      const { colours } = console.screen.look;
      console.screen.show(
        rows.length ? cells(['name', 'type', 'size', 'memory', 'engines'], rows, colours).lines.join('\n') : 'No names',
      );
    },
  },
];
