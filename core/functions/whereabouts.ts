/** Where functions that travel were written. A page in a browser, which has no inspector, has a stand-in for this file. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { lineStarts } from '../console/position.ts';
import { type Found, findPlace, isOurs } from '../places.ts';
import { cameFrom, type Origin, shortHash } from './origins.ts';
import { knownLocation, type LoadedScript, type Location, locationOf, withScripts } from './scopes.ts';
import { offsetInRaw, type Source } from './source.ts';
import { mappedOrigin, placeIn } from './source-maps.ts';
import type { Code } from './travellers.ts';

interface Written {
  source: Source;
  /** Nothing is kept alive by it. */
  fn: WeakRef<Code>;
  /** As far as it was known when it was sent. */
  location: Location | undefined;
}

/** The youngest of those that travel as the same text. */
const youngest = new Map<string, Written>();

/** Notes that a factory was made of a function. What is asked when one of its errors comes is asked then. */
export function wasWritten(fn: Code, source: Source, { hash, text }: { hash: string; text: string }): void {
  if (youngest.get(hash)?.fn.deref() === fn) return;
  const written = { source, fn: new WeakRef(fn), location: knownLocation(fn) };
  youngest.set(hash, written);
  let origin: Origin | undefined;
  cameFrom(hash, (line, column) => {
    origin ??= originOf(hash, written);
    const offset = lineStarts(text)[line - 1];
    if (offset === undefined) return undefined;
    const { line: at, column: within } = positionAt(source.raw, offsetInRaw(source, text, offset + column - 1));
    return origin(at, within);
  });
}

/** Leads from places in a function's text, from 1, to those in its file. */
function originOf(hash: string, written: Written): Origin {
  try {
    return withScripts((scripts, textOf) => {
      const found = scriptOf(hash, written, scripts, textOf);
      return found ? inScript(found) : nowhere;
    });
  } catch {
    return nowhere; // this process may not use its inspector
  }
}

const nowhere: Origin = () => undefined;

interface Spot {
  script: LoadedScript;
  /** Where in it the function's text begins; both from 1. */
  line: number;
  column: number;
}

function scriptOf(
  hash: string,
  { source: { raw }, fn, location }: Written,
  scripts: readonly LoadedScript[],
  textOf: (scriptId: string) => string,
): Spot | undefined {
  const alive = fn.deref();
  const known = location ?? (alive && locationOf(alive));
  const own = known && scripts.find(({ scriptId }) => scriptId === known.scriptId);
  if (own) {
    const text = textOf(own.scriptId);
    // What is said of it is where its parameters begin; of a class, where its constructor does.
    const about = (lineStarts(text)[known.lineNumber] ?? 0) + known.columnNumber;
    const before = text.lastIndexOf(raw, about);
    const at = before >= 0 && before + raw.length >= about ? before : text.indexOf(raw);
    if (at >= 0) return { script: own, ...positionAt(text, at) };
  }
  // It is gone: whoever sent it did not keep it. Its script may still be there, and if its text stands there once, that is it.
  const copy = `-${shortHash(hash)}.js`;
  const spots: Spot[] = [];
  for (const script of scripts) {
    if (script.url.startsWith('node:') || script.url.endsWith(copy)) continue;
    const text = textOf(script.scriptId);
    for (let at = text.indexOf(raw); at >= 0 && spots.length < 2; at = text.indexOf(raw, at + 1))
      spots.push({ script, ...positionAt(text, at) });
  }
  return spots.length === 1 ? spots[0] : undefined;
}

function inScript({ script, line: startLine, column: startColumn }: Spot): Origin {
  const mapped = mapOf(script);
  return (line, column) => {
    const at = startLine + line - 1;
    const within = line === 1 ? startColumn + column - 1 : column;
    return findPlace(script.url, at, within) ?? (mapped ? mapped(at, within) : inFile(script.url, at, within));
  };
}

function inFile(url: string, line: number, column: number): Found {
  const file = pathOf(url);
  return file === undefined ? undefined : placeIn(file, line, column);
}

/** Of a script that was made of another text; `undefined` where it is what was written. */
function mapOf({ url, sourceMapURL }: LoadedScript): Origin | undefined {
  if (!sourceMapURL || isOurs(url)) return undefined;
  const directory = path.dirname(pathOf(url) ?? path.resolve('.', 'script'));
  const [, base64, data] = /^data:application\/json[^,]*?(;base64)?,(.*)$/s.exec(sourceMapURL) ?? [];
  if (data === undefined) return mapBeside(directory, sourceMapURL);
  return mappedOrigin(base64 ? Buffer.from(data, 'base64').toString() : decodeURIComponent(data), directory);
}

function mapBeside(directory: string, url: string): Origin | undefined {
  const file = pathOf(url) ?? path.resolve(directory, url);
  const place = placeIn(file, 1, 1);
  const map = place === 'ours' ? undefined : place.text();
  return map === undefined ? undefined : mappedOrigin(map, path.dirname(file));
}

function pathOf(url: string): string | undefined {
  if (url.startsWith('file:')) return fileURLToPath(url.replace(/[?#].*$/, ''));
  return path.isAbsolute(url) ? url.replace(/\?.*$/, '') : undefined;
}

/** Both from 1. */
function positionAt(text: string, offset: number): { line: number; column: number } {
  const starts = lineStarts(text);
  const line = starts.findLastIndex((start) => start <= offset);
  return { line: line + 1, column: offset - starts[line]! + 1 };
}
