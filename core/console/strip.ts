/** TypeScript to JavaScript that every supported Node runs. */
import { bundler } from '../functions/bundle.ts';
import { syntaxError } from './fault.ts';
import { lineStarts } from './position.ts';

export interface Stripped {
  code: string;
  /** Source map, as JSON. */
  map: string;
}

interface Location {
  line: number;
  /** In bytes of UTF-8, from 0. */
  column: number;
  lineText: string;
}

interface Complaint {
  text: string;
  location: Location | null;
  notes: { location: Location | null }[];
}

// What a statement can start with: the first thing after another one's end.
const STATEMENT_START = /(?<=[;}\n]\s*)\S/g;

/** Throws SyntaxError that points into `source`. */
export function strip(source: string): Stripped {
  try {
    return transform(source);
  } catch (error) {
    const first = (error as { errors?: Complaint[] }).errors?.[0];
    if (!first?.location) throw error;
    const { text, location, notes } = first;
    const halves =
      text.endsWith('has already been declared') && stripHalves(source, [location, notes[0]?.location ?? location]);
    if (halves) return halves;
    throw syntaxError(source, text, location.line, columnOf(location));
  }
}

function columnOf({ lineText, column }: Location): number {
  return Buffer.from(lineText).subarray(0, column).toString().length + 1;
}

function transform(source: string): Stripped {
  return bundler().transformSync(source, {
    loader: 'ts',
    target: 'node20.19',
    charset: 'utf8',
    sourcemap: 'external',
    sourcesContent: false,
    logLevel: 'silent',
    // Without it an import that the same text does not use would vanish; a later text may use it.
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  });
}

// The stripper refuses a name declared twice in one text, which a console allows: the two declarations go separately,
// divided at the last place between them where both parts are whole.
function stripHalves(source: string, declared: Location[]): Stripped | undefined {
  const lines = lineStarts(source);
  const at = declared.map((location) => lines[location.line - 1]! + columnOf(location) - 1);
  const between = source.slice(0, Math.max(...at));
  for (const { index: start } of [...between.matchAll(STATEMENT_START)].reverse()) {
    if (start < Math.min(...at)) return undefined;
    try {
      const left = strip(source.slice(0, start));
      const right = strip(source.slice(0, start).replace(/[^\n]/g, ' ') + source.slice(start));
      return join(left, right);
    } catch {
      // inside a statement: further left
    }
  }
  return undefined;
}

function join(left: Stripped, right: Stripped): Stripped {
  const lines = left.code.split('\n').length - 1;
  const sections = [...sectionsOf(left.map, 0), ...sectionsOf(right.map, lines)];
  return { code: left.code + right.code, map: JSON.stringify({ version: 3, sections }) };
}

interface Section {
  offset: { line: number; column: number };
  map: object;
}

function sectionsOf(json: string, lines: number): Section[] {
  const map = JSON.parse(json) as { sections?: Section[] };
  const sections = map.sections ?? [{ offset: { line: 0, column: 0 }, map }];
  return sections.map((s) => ({ offset: { line: s.offset.line + lines, column: 0 }, map: s.map }));
}
