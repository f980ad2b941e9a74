/** Makes views: turns each operation into a call, with the arguments of each target. */
import { fileURLToPath } from 'node:url';
import type { Assembly } from '../assembly.ts';
import { mapStack, prepare, splitTag } from '../console/index.ts';
import { NoEnginesError, UsageError } from '../errors.ts';
import { bundleScript, mapScriptStack, snapshot } from '../functions/index.ts';
import type { AsyncResult } from './async-result.ts';
import { checkBy, dealColumns, pieces } from './distribution.ts';
import type { CallOptions, CallSpec, Link } from './link.ts';
import { Ref } from './ref.ts';
import type { BaseView, Distribution, EngineView, View } from './view-types.ts';

export interface ViewSource {
  link: Link;
  /** Asked at each call; throws when there is no such engine. */
  targets(): number[];
  single: boolean;
  options: CallOptions;
}

type AnyView = BaseView<any> & { with(options: CallOptions): unknown };

export function createView(source: ViewSource): View & EngineView {
  const { link, single, options } = source;
  const each: Assembly = single ? 'single' : 'list';

  function call(spec: Omit<CallSpec, 'targets' | 'options'> & { targets?: number[] }): AsyncResult<any> {
    let targets: number[];
    try {
      targets = spec.targets ?? someTargets();
    } catch (error) {
      return link.failed([], error);
    }
    return link.call({ ...spec, targets, options });
  }

  function someTargets(): number[] {
    const targets = source.targets();
    if (targets.length) return targets;
    throw new NoEnginesError(
      'The cluster has no engines; add some: cluster({ engines: 4 }), client.add(4), or `tutti engines add 4`',
    );
  }

  /** What fails before there is a call fails as one. */
  function attempt(make: () => AsyncResult<any>): AsyncResult<any> {
    try {
      return make();
    } catch (error) {
      return link.failed([], error);
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
        mapStack: (stack) => mapStack(stack, prepared),
      });
    });

  const view: AnyView = {
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
      call({ op: 'push', args: [vars], names: { args: 'vars' }, assembly: 'nothing' }),
    pull: (names: string | string[]) => call({ op: 'pull', args: [names], assembly: each }),
    scatter: (name: string, data: Iterable<unknown>, { by = 'block' }: Distribution = {}) =>
      attempt(() => {
        const targets = someTargets();
        const own = pieces(data, targets.length, by).map((piece) => [{ [name]: piece }]);
        return call({ op: 'push', args: [], own, names: { own: 'data' }, targets, assembly: 'nothing' });
      }),
    gather: (name: string, { by = 'block' }: Distribution = {}) =>
      attempt(() => {
        checkBy(by);
        return call({ op: 'pull', args: [name], assembly: by === 'block' ? 'concat' : 'interleave' });
      }),
    run: (file: string | URL, { args = [] }: { args?: string[] } = {}) =>
      attempt(() => {
        const script = bundleScript(file instanceof URL ? fileURLToPath(file) : file);
        link.sender.code.set(script.hash, script.text);
        return call({
          op: 'run',
          args: [{ hash: script.hash, file: script.file }, args],
          mapStack: (stack) => mapScriptStack(stack, script),
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
    restart: async () => void (await link.rpc.ask('restart', someTargets())),
    with: (more: CallOptions) => createView({ ...source, options: { ...options, ...more } }),
  };
  return view as View & EngineView;
}

function checkFunction(method: string, fn: unknown): void {
  if (typeof fn === 'function' || fn instanceof Ref) return;
  throw new UsageError(`${method} takes a function (or a ref to one) first; got ${fn === null ? 'null' : typeof fn}`);
}
