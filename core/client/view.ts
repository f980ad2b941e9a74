/** Makes views: turns each operation into a call, with the arguments of each target. */
import type { Assembly } from '../assembly.ts';
import { prepare, splitTag } from '../console/index.ts';
import { NoEnginesError, UsageError } from '../errors.ts';
import { bundleScript, snapshot } from '../functions/index.ts';
import type { AsyncResult } from './async-result.ts';
import type { CallOptions, CallSpec } from './call-spec.ts';
import { checkBy, dealColumns, pieces } from './distribution.ts';
import type { Link } from './link.ts';
import { checkOptions, type Kinds, signal, timeout } from './options.ts';
import { Ref } from './ref.ts';
import type { Distribution, EngineView, View } from './view-types.ts';

export interface ViewSource {
  link: Link;
  /** Asked at each call; throws when there is no such engine. */
  targets(): number[];
  single: boolean;
  options: CallOptions;
}

export function createView(source: ViewSource): View & EngineView {
  const { link, single, options } = source;
  const each: Assembly = single ? 'single' : 'list';

  function call(spec: CallSpec): AsyncResult<any> {
    let targets: number[];
    try {
      targets = spec.targets ?? someTargets();
    } catch (error) {
      return link.failed(error);
    }
    return link.call(spec, targets, spec.options ? { ...options, ...checked(spec.options) } : options);
  }

  function someTargets(): number[] {
    const targets = source.targets();
    if (targets.length) return targets;
    if (link.news.engines.some((e) => e.state !== 'lost')) {
      throw new NoEnginesError('The view has no engines: it picks none of those that are there');
    }
    throw new NoEnginesError(
      'The cluster has no engines; add some: cluster({ engines: 4 }), client.add(4), or `tutti engines add 4`',
    );
  }

  /** What fails before there is a call fails as one. */
  function attempt(make: () => AsyncResult<any>): AsyncResult<any> {
    try {
      return make();
    } catch (error) {
      return link.failed(error);
    }
  }

  const execute = (code: string | TemplateStringsArray, ...values: unknown[]): AsyncResult<any> =>
    attempt(() => {
      if (typeof code !== 'string' && !Array.isArray(code))
        throw new UsageError(`execute takes code as a string or a template; got ${typeof code}`);
      const tag = typeof code === 'string' ? { source: code, params: [] } : splitTag(code, values.length);
      const prepared = prepare(tag.source, { params: tag.params });
      return call({
        op: 'execute',
        args: [prepared.cell, ...values],
        names: { args: 'code' },
        assembly: each,
      });
    });

  const view = {
    get targets() {
      return source.targets();
    },
    execute,
    px: execute,
    apply: (fn: unknown, ...args: unknown[]) =>
      attempt(() => {
        checkFunction('apply', fn);
        return call({ op: 'apply', args: [fn, ...args], names: { args: 'function' }, assembly: each });
      }),
    map: (fn: unknown, ...lists: Iterable<unknown>[]) =>
      attempt(() => {
        checkFunction('map', fn);
        const targets = someTargets();
        const own = dealColumns(lists, targets.length);
        if (!own.length) return call({ op: 'map', args: [fn, [[]]], targets: targets.slice(0, 1), assembly: 'concat' });
        return call({
          op: 'map',
          args: [fn],
          own: own.map((columns) => [columns]),
          names: { args: 'function', own: 'items' },
          targets: targets.slice(0, own.length),
          assembly: 'concat',
        });
      }),
    push: (vars: Record<string, unknown>) =>
      attempt(() => {
        if (typeof vars !== 'object' || vars === null) {
          throw new UsageError(`push takes an object, { name: value }; got ${vars === null ? 'null' : typeof vars}`);
        }
        return call({ op: 'push', args: [vars], names: { args: 'vars' }, assembly: 'nothing' });
      }),
    pull: (names: string | string[]) => call({ op: 'pull', args: [names], assembly: each }),
    names: (expression?: string) =>
      call({ op: 'names', args: expression === undefined ? [] : [expression], assembly: each }),
    scatter: (name: string, data: Iterable<unknown>, { by = 'block', ...more }: Distribution & CallOptions = {}) =>
      attempt(() => {
        const targets = someTargets();
        const own = pieces(data, targets.length, by).map((piece) => [{ [name]: piece }]);
        return call({ op: 'push', args: [], own, names: { own: 'data' }, targets, assembly: 'nothing', options: more });
      }),
    gather: (name: string, { by = 'block', ...more }: Distribution & CallOptions = {}) =>
      attempt(() => {
        checkBy(by);
        return call({ op: 'pull', args: [name], assembly: by === 'block' ? 'concat' : 'interleave', options: more });
      }),
    run: (file: string | URL, { args = [], ...more }: { args?: string[] } & CallOptions = {}) =>
      attempt(() => {
        if (!Array.isArray(args))
          throw new UsageError(`run takes its script's arguments as a list: { args: ['a', 'b'] }`);
        if (typeof file !== 'string' && !(file instanceof URL))
          throw new UsageError('run takes the path or URL of a script');
        const script = bundleScript(file);
        link.sender.code.set(script.hash, script.text);
        return call({
          op: 'run',
          args: [{ hash: script.hash, file: script.file }, args],
          options: more,
          code: [script.hash],
          assembly: each,
        });
      }),
    wrap: (fn: (...args: any[]) => unknown) => {
      checkFunction('wrap', fn);
      const taken = snapshot(fn);
      return (...args: unknown[]) =>
        call({ op: 'apply', args: [taken, ...args], names: { args: 'function' }, assembly: each });
    },
    clear: () => call({ op: 'clear', args: [], assembly: 'nothing' }),
    interrupt: async (reason?: string) => {
      const targets = someTargets();
      const results = await link.stop(WHATEVER_RUNS, targets, 'interrupt', reason, 0);
      return results.map((outcome, i) => ({ engine: targets[i]!, outcome }));
    },
    peek: async (expression: string) => {
      const values = someTargets().map((engine) => link.peek(WHATEVER_RUNS, engine, expression, 0));
      return single ? values[0]! : Promise.all(values);
    },
    restart: async () => void (await link.rpc.ask('restart', someTargets())),
    with: (more: CallOptions) => createView({ ...source, options: { ...options, ...checked(more) } }),
  };
  return view as View & EngineView;
}

const WHATEVER_RUNS = { id: 0 };

function checkFunction(method: string, fn: unknown): void {
  if (typeof fn === 'function' || fn instanceof Ref) return;
  throw new UsageError(`${method} takes a function (or a ref to one) first; got ${fn === null ? 'null' : typeof fn}`);
}

const OPTIONS: Kinds = { timeout, signal, label: { is: 'a text', test: (label) => typeof label === 'string' } };

function checked(options: CallOptions): CallOptions {
  checkOptions('a call', options, OPTIONS);
  return options;
}
