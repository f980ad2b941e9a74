/** From places in texts that were built to those in the files that they were built of. */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isOurs, type Place } from '../places.ts';
import type { Origin } from './origins.ts';

/** @param directory what the map's sources are relative to · @param shift columns that the first line was moved to the right */
export function mappedOrigin(map: string, directory: string, shift = 0): Origin {
  let opened: SourceMap | undefined;
  return (line, column) => {
    opened ??= new SourceMap(JSON.parse(map));
    const entry = opened.findEntry(line - 1, column - 1 - (line === 1 ? shift : 0));
    if (!('originalSource' in entry) || !entry.originalSource) return undefined;
    const { originalSource: source, originalLine, originalColumn } = entry;
    const file = source.startsWith('file:') ? fileURLToPath(source) : path.resolve(directory, source);
    const { sources, sourcesContent } = opened.payload;
    const text = sourcesContent?.[sources.indexOf(source)];
    return placeIn(file, originalLine + 1, originalColumn + 1, text);
  };
}

/** `text`: what the file held, if that is known better than by reading it now. */
export function placeIn(file: string, line: number, column: number, text?: string): Place | 'ours' {
  if (isOurs(pathToFileURL(file).href)) return 'ours';
  return { file, line, column, text: () => text ?? textOf(file) };
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
