/** What has run well in a session, as a program that node and `tutti run` take as it is. */
import { inspect } from 'node:util';
import { prepare } from '../../core/console/index.ts';
import { unusedName } from '../../core/console/tag.ts';
import { joined, type Piece } from './program.ts';

export type Recorded =
  | { kind: 'here'; code: string; shown: boolean }
  /** `ended`: what was not waited for has run well since. */
  | { kind: 'engines'; code: string; shown: boolean; ended?: boolean }
  /** A method of the view, by a command; `sets`: the variable that gets its value. */
  | { kind: 'view'; code: string; sets?: string }
  | { kind: 'targets'; targets: readonly number[] | undefined };

/** Where the program finds its engines. */
export type Origin = { engines: number; kind?: string | undefined } | { name: string };

/** What a console has from the start, or (`_`) keeps itself. */
const GIVEN = ['client', 'all', 'px', 'ref', 'farm', 'tutti', '_'];
/** A session may go on for days. */
const MOST = 10_000;

export class Recording {
  #recorded: Recorded[] = [];

  add(recorded: Recorded): void {
    this.#recorded.push(recorded);
    if (this.#recorded.length > MOST) this.#recorded.shift();
  }

  program(origin: Origin): string {
    const recorded = this.#recorded.filter(
      (one, i, all) =>
        (one.kind !== 'engines' || one.ended !== false) && !(one.kind === 'targets' && all[i + 1]?.kind === 'targets'),
    );
    // Not to be mixed up with names of the user's.
    const view = unusedName('view', recorded.map((one) => ('code' in one ? one.code : '')).join('\n'));
    const { imports, body, free } = joined(
      recorded.map((one) => pieceOf(one, view)),
      new Set([...GIVEN, view]),
    );
    const given = (name: string, line: string): string[] => (free.has(name) ? [line] : []);
    const start = 'name' in origin ? 'connect' : 'cluster';
    const lines = [
      "// A session of tutti's console. Run it: node FILE, or tutti run -n 1 FILE.",
      `import { ${[start, ...given('ref', 'ref')].join(', ')} } from 'tutti';`,
      ...given('tutti', "import * as tutti from 'tutti';"),
      ...given('farm', "import { taskFarm } from 'tutti/paradigms';"),
      ...imports,
      '',
      `const client = await ${start}(${'name' in origin ? quoted(origin.name) : inspect(origin)});`,
      ...given('all', 'const { all } = client;'),
      ...(free.has(view) || free.has('px') ? [`let ${view} = client.all;`] : []),
      ...given('px', `const px = (...code) => ${view}.px(...code);`),
      ...given('farm', 'const farm = client.use(taskFarm);'),
      '',
      ...body,
      '',
      'await client.close();',
    ];
    return `${lines.join('\n')}\n`;
  }
}

function pieceOf(recorded: Recorded, view: string): Piece {
  switch (recorded.kind) {
    case 'here':
      // Without its types.
      return { code: prepare(recorded.code).script.trim(), shown: recorded.shown };
    case 'engines':
      return { code: `await px(${quoted(recorded.code.trim())})`, shown: recorded.shown };
    case 'view': {
      const call = `await ${view}.${recorded.code};`;
      return { code: recorded.sets === undefined ? call : `let ${recorded.sets} = ${call}`, shown: false };
    }
    case 'targets': {
      const { targets } = recorded;
      return { code: `${view} = client.${targets ? `view([${targets.join(', ')}])` : 'all'};`, shown: false };
    }
  }
}

export function quoted(code: string): string {
  if (!/['\\\n]/.test(code)) return `'${code}'`;
  return `\`${code.replace(/[\\`]|\$\{/g, '\\$&')}\``;
}
