/** Program of a controller with a process of its own. The IPC channel brings its options; unless detached, its end ends us. */
import type { ControllerBoot, ControllerNews } from '../core/client/cluster.ts';
import { startHost } from '../core/controller/host.ts';
import { TuttiError } from '../core/errors.ts';
import '../transports/builtin.ts';

process.once('message', async (boot: ControllerBoot) => {
  const tell = (news: ControllerNews): void => void process.send?.(news);
  try {
    const host = await startHost({ ...boot, listen: boot.listen ?? [], local: true });
    const stop = (): void => void host.stop();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
    if (!boot.detached) process.once('disconnect', stop);
    await host.fleet.add(boot.engines, host.launcher).catch(async (error) => {
      await host.stop();
      throw error;
    });
    tell({ ready: host.outside });
    await host.stopped;
    process.exit(0);
  } catch (error) {
    tell({ failed: (error as Error).message, code: error instanceof TuttiError ? error.code : 'TUTTI' });
    process.exitCode = 1;
    process.disconnect?.();
  }
});
