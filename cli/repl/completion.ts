/** What the Tab key offers: names here, names on the engines, commands. */

import { propertiesOf } from '../../core/engine/names.ts';
import type { NameInfo } from '../../core/index.ts';
import { COMMANDS, TYPED } from './commands.ts';
import type { Console } from './console.ts';
import { entryOf } from './entry.ts';

/** ms that engines are waited for: those that compute answer later, and what they had before is offered. */
const PATIENCE = 500;
/** Names, and whether commands take names here or on the engines. */
const TAKES: Record<string, 'here' | 'engines'> = {
  push: 'here',
  scatter: 'here',
  send: 'here',
  time: 'here',
  pull: 'engines',
  gather: 'engines',
  who: 'engines',
  px: 'engines',
};
/** The value that is looked into, up to its dot, and the start of a name. */
const CHAIN = /((?:[\p{ID_Start}$_][\p{ID_Continue}$]*\??\.)*)([\p{ID_Continue}$]*)$/u;

export class Completion {
  #console: Console;
  #known = new Map<string, readonly NameInfo[]>();

  constructor(console: Console) {
    this.#console = console;
  }

  /** Whole names, and the part of the line that they complete. */
  async of(line: string): Promise<[string[], string]> {
    const [, command] = /^\s*\.([a-z]*)$/.exec(line) ?? [];
    if (command !== undefined) {
      const names = [...COMMANDS, ...TYPED].map(({ name }) => name);
      return [names.filter((name) => name.startsWith(command)).sort(), command];
    }
    const entry = entryOf(line, this.#console.autopx);
    const where = entry.kind === 'command' ? TAKES[entry.name] : entry.kind === 'engines' ? 'engines' : 'here';
    const [, chain = '', start = ''] = CHAIN.exec(line) ?? [];
    if (!where || (!chain && !start && entry.kind !== 'command')) return [[], start];
    const owner = chain.replace(/\??\.$/, '');
    const onEngines = where === 'engines' || (entry.kind === 'command' && /\s%/.test(line));
    const found = onEngines ? await this.#there(owner) : this.#here(owner);
    const names = [...new Set(found)].filter((name) => name.startsWith(start));
    return [names.sort((a, b) => (a < b ? -1 : 1)), start];
  }

  #here(owner: string): string[] {
    const { local } = this.#console;
    if (owner) return propertiesOf(local.look(owner)).map(({ name }) => name);
    return [...local.names(), ...propertiesOf(globalThis).map(({ name }) => name)];
  }

  async #there(owner: string): Promise<string[]> {
    const { connection, started } = this.#console;
    if (!connection.isOpen) return [];
    const { targets } = this.#console.view;
    // Of a value one engine tells enough; what is set differs.
    const view = owner ? this.#console.client.view(targets.slice(0, 1)) : this.#console.view;
    const key = `${targets} ${owner}`;
    try {
      const lists = await started.aside(() => view.with({ timeout: PATIENCE }).names(owner || undefined));
      this.#known.set(key, lists.flat());
    } catch {
      // engines that are busy, or no such value
    }
    const known = (this.#known.get(key) ?? []).map(({ name }) => name);
    if (owner) return known;
    return [
      ...known,
      'engine',
      'task',
      ...propertiesOf(globalThis).flatMap(({ name }) => (isStandard(name) ? [name] : [])),
    ];
  }
}

/** Classes and namespaces of the language: they are on every engine. */
function isStandard(name: string): boolean {
  return /^[A-Z]/.test(name) && Object.getOwnPropertyDescriptor(globalThis, name)?.enumerable === false;
}
