/** The console's commands. */

import { clusterCommands } from './cluster-commands.ts';
import type { Console } from './console.ts';
import { dataCommands } from './data-commands.ts';
import { sessionCommands } from './session-commands.ts';
import { taskCommands } from './task-commands.ts';

export interface Command {
  name: string;
  /** What follows the name, for help. */
  takes: string;
  help: string;
  run(console: Console, rest: string): Promise<void> | void;
}

export const COMMANDS: readonly Command[] = [...sessionCommands, ...clusterCommands, ...dataCommands, ...taskCommands];

/** Node's own, where somebody types. */
export const TYPED: readonly Omit<Command, 'run'>[] = [
  { name: 'editor', takes: '', help: 'Type several lines and run them together: Ctrl-D runs them, Ctrl-C drops them' },
  { name: 'break', takes: '', help: 'Give up a statement that goes on over several lines, like Ctrl-C' },
];

export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}
