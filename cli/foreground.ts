/** A cluster that lives as long as this command. */
import { connectionFile } from '../core/connection-file.ts';
import { startHost } from '../core/controller/host.ts';
import { enginesOf, type HostOptions } from '../core/controller/host-options.ts';
import { StoreError } from '../core/errors.ts';
import { interruption } from './interruption.ts';
import { printJson, say } from './output.ts';
import { sayFailed } from './plugin-failures.ts';
import '../paradigms/builtin.ts';
import '../transports/builtin.ts';

/** Resolves when it was stopped by another command; rejects when interrupted, or replaced by another controller. Either way nothing of it is left. */
export async function serve(
  { engines, ...options }: HostOptions & { name: string; engines: number | undefined },
  { json }: { json: boolean },
): Promise<void> {
  const signal = interruption();
  const standingBy = (pid: number): void =>
    say(`Standing by for cluster '${options.name}', whose controller has pid ${pid}; Ctrl-C ends it`);
  const host = await startHost({ ...options, signal, standingBy });
  const interrupted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    const wanted = engines ?? enginesOf(options, host.launcher);
    const started = host.fleet.add(wanted, host.launcher, options.min);
    started.catch(() => {}); // when it was interrupted meanwhile, nobody asks
    const ids = await Promise.race([started, interrupted]);
    if (ids && !signal.aborted) {
      const { name, urls, fingerprint } = host.outside;
      sayFailed(host.controller.paradigms());
      const { metrics } = host;
      if (json) printJson({ name, pid: process.pid, engines: ids.length, urls, fingerprint, metrics });
      say(
        `Cluster '${name}' is ready: ${ids.length} engines, pid ${process.pid}\n  connect with --name ${name}, or ${connectionFile(name)}\n` +
          `  listens on ${urls.join(', ')}\n${fingerprint ? `  its authority: ${fingerprint}\n` : ''}${metrics ? `  metrics at ${metrics}\n` : ''}  Ctrl-C stops it`,
      );
      await Promise.race([host.stopped, interrupted]);
    }
  } finally {
    await host.stop();
  }
  if (host.replaced) throw new StoreError(`Cluster '${options.name}' goes on elsewhere: ${host.replaced.message}`);
  signal.throwIfAborted();
}
