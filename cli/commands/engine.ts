/** `tutti engine`: one engine that joins a cluster by itself, from here. */
import { RefusedError } from '../../core/errors.ts';
import { command, connectOption, cwdOption } from '../arguments.ts';
import { interruption } from '../interruption.ts';
import { say } from '../output.ts';

/** An engine's time between heartbeats until its controller has told it. */
const BEAT = 1_000;

export const engineCommand = command({
  command: 'engine',
  describe: 'Run an engine that joins a cluster by itself',
  builder: (y) =>
    y
      .option('connect', connectOption)
      .option('cwd', cwdOption)
      .epilogue(
        'With a URL its token comes from the environment variable TUTTI_ENGINE_TOKEN (or TUTTI_TOKEN); TUTTI_CA, TUTTI_CERT and TUTTI_KEY name files with the authority to trust and what to show.',
      ),
  handler: async ({ connect, cwd = process.cwd() }) => {
    const { findDoor } = await import('../engine-door.ts');
    const { processLauncher } = await import('../../core/launch/process.ts');
    const { name, ...door } = findDoor(connect!);
    const signal = interruption();
    const launcher = processLauncher({ kind: 'external' });
    const engine = launcher.launch({ id: -1, ...door, cwd, env: {}, litter: [], beat: BEAT, supervised: true });
    engine.onOutput((stream, text) => void process[stream].write(text));
    say(`Engine process ${engine.pid} joins cluster ${name}; Ctrl-C ends it`);
    signal.addEventListener('abort', () => engine.kill(), { once: true });
    const { exitCode, error } = await engine.exited;
    signal.throwIfAborted();
    if (error) throw new RefusedError(`The engine could not be started: ${error.message}`, { cause: error });
    process.exitCode = exitCode ?? 1;
  },
});
