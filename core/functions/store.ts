import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { ProtocolError, UsageError } from '../errors.ts';
import type { Form } from '../wire/forms.ts';
import { shortHash } from './origins.ts';
import { Texts } from './texts.ts';
import type { Code } from './travellers.ts';

type Captures = Record<string, unknown>;
type Factory = (set: (bind: (captures: Captures) => void) => void, name: typeof keepName) => unknown;

export interface Revived {
  value: unknown;
  bind?(captures: Captures): void;
}

/**
 * Makes functions of the texts that clients sent; one per engine. Every time a function arrives it is a new object with
 * variables of its own, so nothing leaks from one call to the next; only its compiled code is kept. A module, in contrast,
 * is run once and then shared, as an imported module is.
 */
export class FunctionStore {
  readonly #texts = new Texts((hash) => void this.#factories.delete(hash));
  readonly #factories = new Map<string, Factory>();
  readonly #modules = new Map<string, Captures>();
  readonly #builtins = new Map<string, Captures>();
  readonly #directory: string;
  readonly #require: NodeJS.Require;

  /** Imports inside the functions, and `require`, resolve from `dir`. */
  constructor({ dir }: { dir: string }) {
    this.#directory = path.resolve(dir);
    this.#require = createRequire(`${this.#directory}${path.sep}`);
  }

  has(hash: string): boolean {
    return this.#texts.has(hash) || this.#modules.has(hash);
  }

  /** A call that is about to come needs these: they stay, once they are here, until it is `done`. */
  pin(hashes: readonly string[]): void {
    this.#texts.pin(hashes);
  }

  done(hashes: readonly string[]): void {
    this.#texts.unpin(hashes);
  }

  add(hash: string, text: string): void {
    this.#texts.set(hash, text);
  }

  /** The thing that a code, module or builtin form describes. Throws ProtocolError for a text that never arrived. */
  revive(form: Form): Revived {
    if (form.kind === 'code') return this.#reviveCode(form);
    if (form.kind === 'module') return { value: member(this.#module(form.hash), form.export, 'the sent module') };
    if (form.kind === 'builtin') return { value: member(this.#builtin(form.module), form.export, form.module) };
    throw new ProtocolError(`A form of kind '${form.kind}' is no function`);
  }

  /** Runs a script that `bundleScript` made; resolves with its exports. `process.argv` ends with `args` in it. */
  runScript(hash: string, file: string, args: readonly string[] = []): Promise<Record<string, unknown>> {
    const run = this.#compile(hash, `run/${path.basename(file)}`) as (
      process: NodeJS.Process,
      require: NodeJS.Require,
    ) => Promise<Record<string, unknown>>;
    const argv = [process.execPath, file, ...args];
    const own = new Proxy(process, {
      get: (target, key) => (key === 'argv' ? argv : Reflect.get(target, key, target)),
    });
    return run(own, this.#require);
  }

  #reviveCode({ hash, name, captures }: Extract<Form, { kind: 'code' }>): Revived {
    let factory = this.#factories.get(hash);
    if (!factory) {
      factory = this.#compile(hash, `fn/${name}`) as Factory;
      this.#factories.set(hash, factory);
    }
    let bind: Revived['bind'];
    const value = factory((set) => {
      bind = set;
      set(captures);
    }, keepName);
    if (typeof value === 'function' && value.name !== name) keepOwnName(value, name);
    return bind ? { value, bind } : { value };
  }

  #compile(hash: string, name: string): unknown {
    const text = this.#texts.get(hash);
    if (text === undefined) throw new ProtocolError(`The code ${hash} (${name}) was never sent to this engine`);
    const url = `tutti:///${name.replace(/[^\w./$-]/g, '_')}-${shortHash(hash)}.js`;
    try {
      // Stack traces show the source URL; imports resolve from the file name.
      return new vm.Script(`${text}\n//# sourceURL=${url}`, {
        filename: path.join(this.#directory, '[tutti]'),
        importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      }).runInThisContext();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new UsageError(`This engine (Node ${process.version}) cannot read the code of ${name}: ${reason}`, {
        cause,
      });
    }
  }

  #module(hash: string): Captures {
    let namespace = this.#modules.get(hash);
    if (!namespace) {
      const run = this.#compile(hash, 'module') as (...args: unknown[]) => void;
      const module = { exports: {} as { namespace: Captures } };
      const file = path.join(this.#directory, '[tutti module]');
      run(module.exports, this.#require, module, file, this.#directory, pathToFileURL(file).href);
      namespace = module.exports.namespace;
      this.#modules.set(hash, namespace);
    }
    return namespace;
  }

  /** As an import sees it: the exports, and the whole as `default`. */
  #builtin(name: string): Captures {
    let namespace = this.#builtins.get(name);
    if (!namespace) {
      const exported = this.#require(name);
      namespace = Object.create(null, {
        ...Object.getOwnPropertyDescriptors(exported),
        default: { value: exported, enumerable: true },
      }) as Captures;
      this.#builtins.set(name, namespace);
    }
    return namespace;
  }
}

function member(namespace: Captures, name: string | null, module: string): unknown {
  if (name === null) return namespace;
  if (!(name in namespace)) throw new UsageError(`${module} has no export '${name}'`);
  return namespace[name];
}

/** What esbuild's `keepNames` calls. */
function keepName<T extends object>(target: T, value: string): T {
  return Object.defineProperty(target, 'name', { value, configurable: true });
}

/** A class may have a static member called `name`: that one stays. */
function keepOwnName(fn: Code, name: string): void {
  const own = Object.getOwnPropertyDescriptor(fn, 'name');
  if (typeof own?.value === 'string' && own.configurable) keepName(fn, name);
}
