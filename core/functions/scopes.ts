import inspector from 'node:inspector';
import type { Code } from './travellers.ts';

/** One scope that a function closes over: a copy of the binding, with the real values. */
export interface ScopeRecord {
  /** The engine's word for it, e.g. `Closure (outer)`, `Block`, `Module`, `Script`, `Global`. */
  description: string;
  variables: Record<string, unknown>;
}

/** What the inspector knows of a function. `scriptId` is null for one without source text. */
export interface Closure {
  /** Innermost first. */
  scopes: ScopeRecord[];
  scriptId: string | null;
}

export interface ScriptSource {
  /** A URL or a path, as whoever loaded it called it; may be empty. */
  url: string;
  text: string;
}

// On `process`, not `globalThis`: in a vm context (some test runners) the global is another one.
const KEY = Symbol.for('tutti.capture');
const HERE = `process[Symbol.for('tutti.capture')]`;
const objectGroup = 'tutti-capture';

let session: inspector.Session | undefined;
let inspections = 0;

/** How often this process has asked its inspector about a function. */
export function inspectionCount(): number {
  return inspections;
}

function post(method: string, params: object = {}): any {
  if (!session) {
    const opened = new inspector.Session();
    opened.connect();
    session = opened;
  }
  let result: unknown;
  let failure: Error | null = null;
  session.post(method, params, (error, value) => {
    failure = error;
    result = value;
  });
  if (failure) throw failure;
  return result;
}

/** The scopes that a function closes over; throws where this process may not use its inspector. */
export function closureOf(fn: Code): Closure {
  inspections++;
  return asked(fn, ({ scopes, location }, box) => {
    if (location) locations.set(fn, location.value);
    if (!scopes) return { scopes: [], scriptId: null };
    post('Runtime.callFunctionOn', {
      objectId: scopes.objectId,
      functionDeclaration: `function () { ${HERE}.scopes = this; }`,
    });
    return {
      scopes: Array.from(box.scopes!, ({ description, object }) => ({ description, variables: object })),
      scriptId: location?.value.scriptId ?? null,
    };
  });
}

/** A place in a loaded script, about where a function begins. Line and column count from 0. */
export interface Location {
  scriptId: string;
  lineNumber: number;
  columnNumber: number;
}

/** Of functions whose scopes were asked for. */
const locations = new WeakMap<Code, Location>();

export function knownLocation(fn: Code): Location | undefined {
  return locations.get(fn);
}

/** Undefined: it has no source text. */
export function locationOf(fn: Code): Location | undefined {
  return locations.get(fn) ?? asked(fn, ({ location }) => location?.value);
}

interface Internals {
  scopes: { objectId: string } | undefined;
  location: { value: Location } | undefined;
}

interface Box {
  fn: Code;
  scopes?: ArrayLike<{ description: string; object: Record<string, unknown> }>;
}

function asked<T>(fn: Code, use: (internals: Internals, box: Box) => T): T {
  const box: Box = { fn };
  Object.defineProperty(process, KEY, { value: box, configurable: true });
  try {
    const { objectId } = post('Runtime.evaluate', { expression: `${HERE}.fn`, objectGroup }).result;
    const { internalProperties } = post('Runtime.getProperties', { objectId, ownProperties: true });
    const find = (name: string) => internalProperties.find((p: { name: string }) => p.name === name)?.value;
    return use({ scopes: find('[[Scopes]]'), location: find('[[FunctionLocation]]') }, box);
  } finally {
    // Or everything that was captured stays alive.
    if (session) post('Runtime.releaseObjectGroup', { objectGroup });
    Reflect.deleteProperty(process, KEY);
  }
}

export interface LoadedScript {
  scriptId: string;
  /** As whoever loaded it called it; may be empty. */
  url: string;
  /** Of its source map, if it names one. */
  sourceMapURL?: string;
}

/** Looks at the scripts that are loaded. Milliseconds: the debugger is on meanwhile, and only then does it list them. */
export function withScripts<T>(look: (scripts: readonly LoadedScript[], textOf: (scriptId: string) => string) => T): T {
  const scripts: LoadedScript[] = [];
  const listen = ({ params }: { params: LoadedScript }) => void scripts.push(params);
  post('Runtime.evaluate', { expression: '0' });
  session!.on('Debugger.scriptParsed', listen);
  try {
    post('Debugger.enable');
    return look(scripts, (scriptId) => post('Debugger.getScriptSource', { scriptId }).scriptSource);
  } finally {
    session!.off('Debugger.scriptParsed', listen);
    post('Debugger.disable');
  }
}

/** The text of a loaded script. */
export function scriptSource(scriptId: string): ScriptSource {
  return withScripts((scripts, textOf) => ({
    url: scripts.find((script) => script.scriptId === scriptId)?.url ?? '',
    text: textOf(scriptId),
  }));
}
