import { SourceMap } from 'node:module';
import path from 'node:path';
import type { ScriptBundle } from './script.ts';

export function mapScriptStack(stack: string, script: Omit<ScriptBundle, 'mapStack'>): string {
  const map = new SourceMap(JSON.parse(script.map));
  return stack.replaceAll(/tutti:\/\/\/run\/[^\s:]*-([0-9a-f]{8})\.js:(\d+):(\d+)/g, (whole, hash, line, column) => {
    if (!script.hash.startsWith(hash)) return whole;
    const entry = map.findEntry(Number(line) - 1, Number(column) - 1);
    if (!('originalSource' in entry)) return whole;
    const file = path.resolve(path.dirname(script.file), entry.originalSource);
    return `${file}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}
