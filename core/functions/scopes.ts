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
  const box: { fn: Code; scopes?: ArrayLike<{ description: string; object: Record<string, unknown> }> } = { fn };
  Object.defineProperty(process, KEY, { value: box, configurable: true });
  try {
    const { objectId } = post('Runtime.evaluate', { expression: `${HERE}.fn`, objectGroup }).result;
    const { internalProperties } = post('Runtime.getProperties', { objectId, ownProperties: true });
    const find = (name: string) => internalProperties.find((p: { name: string }) => p.name === name)?.value;
    const scopes = find('[[Scopes]]');
    if (!scopes) return { scopes: [], scriptId: null };
    post('Runtime.callFunctionOn', {
      objectId: scopes.objectId,
      functionDeclaration: `function () { ${HERE}.scopes = this; }`,
    });
    return {
      scopes: Array.from(box.scopes!, ({ description, object }) => ({ description, variables: object })),
      scriptId: find('[[FunctionLocation]]')?.value.scriptId ?? null,
    };
  } finally {
    // Or everything that was captured stays alive.
    if (session) post('Runtime.releaseObjectGroup', { objectGroup });
    Reflect.deleteProperty(process, KEY);
  }
}

/** The text of a loaded script. Milliseconds: the debugger is on meanwhile, and only then does it list the scripts. */
export function scriptSource(scriptId: string): ScriptSource {
  let url = '';
  const listen = ({ params }: { params: { scriptId: string; url: string } }) => {
    if (params.scriptId === scriptId) url = params.url;
  };
  post('Runtime.evaluate', { expression: '0' });
  session!.on('Debugger.scriptParsed', listen);
  try {
    post('Debugger.enable');
    return { url, text: post('Debugger.getScriptSource', { scriptId }).scriptSource };
  } finally {
    session!.off('Debugger.scriptParsed', listen);
    post('Debugger.disable');
  }
}
