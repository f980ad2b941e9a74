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

export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}
