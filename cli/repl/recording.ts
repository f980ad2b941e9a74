/** What has run well in a session, as a program that node and `tutti run` take as it is. */
import { prepare } from '../../core/console/index.ts';
import { joined, type Piece } from './program.ts';

export type Recorded =
  | { kind: 'here'; code: string; shown: boolean }
  | { kind: 'engines'; code: string; shown: boolean }
  /** A method of the view, by a command; `sets`: the variable that gets its value. */
  | { kind: 'view'; code: string; sets?: string }
  | { kind: 'targets'; targets: readonly number[] | undefined };

/** Where the program finds its engines. */
export type Origin = { engines: number; kind?: string | undefined } | { name: string };

/** A session may go on for days. */
const MOST = 10_000;

export class Recording {
  #recorded: Recorded[] = [];

  add(recorded: Recorded): void {
    this.#recorded.push(recorded);
    if (this.#recorded.length > MOST) this.#recorded.shift();
  }

  program(origin: Origin): string {
    const pieces = this.#recorded.map(pieceOf);
    const texts = pieces.map(({ code }) => code).join('\n');
    const uses = (name: string): boolean => new RegExp(`(?<![\\w$.])${name}(?![\\w$])`).test(texts);
    const start = 'name' in origin ? 'connect' : 'cluster';
    const opened =
      'name' in origin
        ? `connect(${JSON.stringify(origin.name)})`
        : `cluster(${JSON.stringify(origin)
            .replaceAll(/"(\w+)":/g, ' $1: ')
            .replace('}', ' }')})`;
    const given = ['all', 'view', 'px'].filter(uses);
    const moves = this.#recorded.some(({ kind }) => kind === 'targets');
    const head = [
      "// A session of tutti's console. Run it: node FILE, or tutti run -n 1 FILE.",
      `import { ${[start, ...(uses('ref') ? ['ref'] : [])].join(', ')} } from 'tutti';`,
      ...(uses('tutti') ? ["import * as tutti from 'tutti';"] : []),
      ...(uses('farm') ? ["import { taskFarm } from 'tutti/paradigms';"] : []),
    ];
    const { imports, body } = joined(pieces, uses('_'));
    const names = [
      `const client = await ${opened};`,
      ...(given.includes('all') ? ['const { all } = client;'] : []),
      ...(given.includes('view') || moves ? ['let view = client.all;'] : []),
      ...(given.includes('px')
        ? ['const px = (...code) => view.px(...code);'.replace('view', moves ? 'view' : 'client.all')]
        : []),
      ...(uses('farm') ? ['const farm = client.use(taskFarm);'] : []),
    ];
    return `${[...head, ...imports, '', ...names, '', ...body, '', 'await client.close();'].join('\n')}\n`;
  }
}

function pieceOf(recorded: Recorded): Piece {
  switch (recorded.kind) {
    case 'here':
      // Without its types.
      return { code: prepare(recorded.code).script.trim(), shown: recorded.shown };
    case 'engines':
      return { code: `await px(${quoted(recorded.code.trim())})`, shown: recorded.shown };
    case 'view':
      return { code: `${recorded.sets ? `let ${recorded.sets} = ` : ''}await view.${recorded.code};`, shown: false };
    case 'targets':
      return {
        code: `view = ${recorded.targets ? `client.view([${recorded.targets.join(', ')}])` : 'client.all'};`,
        shown: false,
      };
  }
}

function quoted(code: string): string {
  if (!/['\\\n]/.test(code)) return `'${code}'`;
  return `\`${code.replace(/[\\`]|\$\{/g, '\\$&')}\``;
}
