import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { isBuiltin } from 'node:module';
import { bundleHalf } from '../../core/paradigm/bundle.ts';
import { ON_ENGINES } from '../../core/paradigm/on-engines.ts';
import { loadPlugin } from '../../core/paradigm/plugins.ts';
import {
  type Client,
  type ClientHost,
  type Cluster,
  type ClusterOptions,
  cluster,
  connect,
  defineParadigm,
  ParadigmError,
  type ParadigmFactory,
  ParadigmNotInstalledError,
} from '../../main.ts';
import type { Runner } from './transport.ts';

export interface ParadigmFixture<A, O extends unknown[]> {
  readonly paradigm: ParadigmFactory<A, O>;
  /** As a start list names it: a package, or the path of its module. */
  readonly plugin: string;
  /** Where the plug-in's name is looked up. Default: the working directory. */
  readonly directory?: string;
  /** Of `use`. */
  readonly options?: O;
  /** It comes with tutti: no controller is without it. */
  readonly builtIn?: boolean;
  /** Uses the API and asserts what comes of it. Called often, by several clients of one cluster at a time. */
  exercise(api: A, client: Client): Promise<void>;
  /** Waits for what never comes: must settle when its client is closed. Default: `exercise`, in the middle of it. */
  endless?(api: A, client: Client): Promise<unknown>;
  /** Something that a handler throws, and the name of its class. */
  readonly failure?: { provoke(api: A, client: Client): Promise<unknown>; readonly name: string };
  /** What the bundle of the engine half may hold, in bytes. Default: 262,144. */
  readonly bundleLimit?: number;
  /** Takes figures, one line each. Default: prints them. */
  report?(line: string): void;
}

/** What every paradigm promises, as test cases, each with clusters of its own. */
export function paradigmCompliance<A, O extends unknown[]>(fixture: ParadigmFixture<A, O>, { test }: Runner): void {
  const { paradigm, plugin, directory = process.cwd(), exercise, failure } = fixture;
  const { definition } = paradigm;
  const { name, version } = definition;
  const options = fixture.options ?? ([] as unknown as O);
  const use = (client: Client): A => client.use(paradigm, ...options);
  const endless = (client: Client): Promise<unknown> => (fixture.endless ?? exercise)(use(client), client);
  const installed: ClusterOptions = { controller: 'process', plugins: [plugin], cwd: directory };
  const withCluster = async (o: ClusterOptions, body: (home: Cluster) => Promise<void>): Promise<void> => {
    const home = await cluster({ engines: 2, output: 'ignore', kind: 'thread', name: `compliance-${unique()}`, ...o });
    try {
      await body(home);
    } finally {
      await home.close();
    }
  };

  test('its module exports it, with name and version', async () => {
    const found = (await loadPlugin(plugin, directory)).find((exported) => exported.name === name);
    assert.ok(found, `'${plugin}' exports no paradigm called '${name}'`);
    assert.equal(found.version, version);
    assert.equal(found.module, definition.module, 'module: import.meta.url of the module that exports it');
  });

  test('works where the controller is in this process', () =>
    withCluster({}, async (home) => exercise(use(home), home)));

  for (const kind of ['process', 'thread'] as const) {
    test(`works with a controller of its own, started with the plug-in, and ${kind} engines`, () =>
      withCluster({ ...installed, kind }, async (home) => exercise(use(home), home)));
  }

  test('serves several clients at a time, and several uses of one', () =>
    withCluster(installed, async (home) => {
      const guest = await connect(home.name, { output: 'ignore' });
      try {
        await Promise.all([home, home, guest].map((client) => exercise(use(client), client)));
      } finally {
        await guest.close();
      }
      await exercise(use(home), home);
    }));

  test('engines that join later, or are started anew, have its half', () =>
    withCluster({ ...installed, engines: 1 }, async (home) => {
      await exercise(use(home), home);
      await home.add(1);
      await home.restart([0]);
      await hasHalves(home);
      await exercise(use(home), home);
    }));

  if (!fixture.builtIn)
    test('is refused where it is not installed, with words on what to do', () =>
      withCluster({ controller: 'process' }, async (home) => {
        const asked = probe(home, version).controller.ask('#compliance');
        if (!definition.controller) return assert.rejects(asked, ParadigmError);
        await assert.rejects(asked, (error) => {
          assert.ok(error instanceof ParadigmNotInstalledError);
          assert.match(error.message, /--plugin/);
          assert.ok(error.message.includes(`'${name}'`));
          return true;
        });
      }));

  test('another version of it is refused, and both are named', () =>
    withCluster(installed, async (home) => {
      await exercise(use(home), home);
      const guest = await connect(home.name, { output: 'ignore' });
      try {
        await assert.rejects(
          probe(guest, '999.9.9').controller.ask('#compliance'),
          (error) =>
            error instanceof ParadigmError && error.message.includes(version) && error.message.includes('999.9.9'),
        );
      } finally {
        await guest.close();
      }
      await exercise(use(home), home);
    }));

  test('a client that leaves has nothing left pending, and disturbs nobody', () =>
    withCluster(installed, async (home) => {
      await exercise(use(home), home);
      const guest = await connect(home.name, { output: 'ignore' });
      const pending = Promise.allSettled([endless(guest)]);
      await guest.status(); // what was asked before is on its way
      await guest.close();
      await pending;
      await exercise(use(home), home);
    }));

  test('an engine that is killed in the middle of it leaves nothing pending; its successor serves', () =>
    withCluster({ ...installed, kind: 'process' }, async (home) => {
      await exercise(use(home), home);
      const pending = Promise.allSettled([exercise(use(home), home)]);
      await home.status();
      process.kill(home.engines[0]!.pid, 'SIGKILL');
      await pending;
      await home.restart([0]);
      await hasHalves(home);
      await exercise(use(home), home);
    }));

  test('a cluster that stops ends what is under way', async () => {
    let pending: Promise<unknown> = Promise.resolve();
    await withCluster({}, async (home) => {
      await exercise(use(home), home);
      pending = Promise.allSettled([endless(home)]);
      await home.status();
    });
    await pending;
  });

  if (failure) {
    test('what a handler throws arrives with its class and message', () =>
      withCluster(installed, (home) =>
        assert.rejects(
          async () => failure.provoke(use(home), home),
          (error) => error instanceof Error && error.name === failure.name && error.message !== '',
        ),
      ));
  }

  if (definition.engine !== undefined) {
    test('its engine half travels alone, and is small', async () => {
      const { text } = bundleHalf(definition)!;
      const packages = [...text.matchAll(/\brequire\("([^"]+)"\)/g)].map((match) => match[1]!);
      const strange = packages.filter((id) => !isBuiltin(id) && !ON_ENGINES.includes(id) && id !== 'tutti/engine');
      assert.deepEqual(strange, [], 'packages that engines may not have');
      if (typeof definition.engine === 'string' && definition.controller) {
        const squeezed = (code: string): string => code.replace(/\s+/g, '');
        assert.ok(!squeezed(text).includes(squeezed(String(definition.controller))), 'it brings the controller half');
      }
      const { bundleLimit = 262_144, report = (line: string) => console.log(line) } = fixture;
      report(`engine half of '${name}': ${text.length} bytes`);
      assert.ok(text.length <= bundleLimit, `the bundle has ${text.length} bytes, more than ${bundleLimit}`);
    });
  }

  /** The same paradigm, as far as the others can tell, with nothing but its host for an API. */
  function probe(client: Client, as: string): ClientHost {
    return client.use(defineParadigm({ ...definition, version: as, client: (host: ClientHost) => host }));
  }

  async function hasHalves(home: Cluster): Promise<void> {
    if (definition.engine === undefined) return;
    const host = probe(home, version);
    for (const { id } of home.engines)
      await assert.rejects(host.engine(id).ask('#compliance'), /does not know '#compliance'/);
  }
}

function unique(): string {
  return randomBytes(6).toString('hex');
}
