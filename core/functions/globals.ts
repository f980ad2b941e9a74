// The receiver has these under the same name, so a name is all that travels.
const GLOBALS =
  `Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date Error AggregateError
  EvalError RangeError ReferenceError SyntaxError TypeError URIError FinalizationRegistry Float32Array Float64Array Function
  Int8Array Int16Array Int32Array Intl Iterator JSON Map Math Number Object Promise Proxy Reflect RegExp Set
  SharedArrayBuffer String Symbol Uint8Array Uint8ClampedArray Uint16Array Uint32Array WeakMap WeakRef WeakSet WebAssembly
  decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN parseFloat parseInt
  AbortController AbortSignal Blob Buffer Event EventTarget FormData Headers MessageChannel Request Response TextDecoder
  TextEncoder URL URLSearchParams atob btoa clearImmediate clearInterval clearTimeout console crypto fetch performance
  process queueMicrotask setImmediate setInterval setTimeout structuredClone`.split(/\s+/);

let globals: Map<unknown, string> | undefined;

/** The expression that names a global native on any Node, e.g. `Math.max`, if the value is one. */
export function globalPath(value: unknown): string | undefined {
  globals ??= listGlobals();
  return globals.get(value);
}

function listGlobals(): Map<unknown, string> {
  const paths = new Map<unknown, string>();
  const note = (value: unknown, path: string) => {
    if ((typeof value === 'function' || (typeof value === 'object' && value !== null)) && !paths.has(value)) {
      paths.set(value, path);
    }
  };
  const members = (owner: unknown, path: string) => {
    if (!owner) return;
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      if (typeof value === 'function' && /^[a-z]\w*$/i.test(name)) note(value, `${path}.${name}`);
    }
  };
  const present = GLOBALS.filter((name) => name in globalThis);
  for (const name of present) note((globalThis as Record<string, unknown>)[name], name);
  for (const name of present) {
    const value = (globalThis as Record<string, any>)[name];
    members(value, name);
    if (typeof value === 'function') members(value.prototype, `${name}.prototype`);
  }
  return paths;
}

/** Whether it is the namespace of a module, the runtime's own or a transpiler's. */
export function isNamespace(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Module]';
}
