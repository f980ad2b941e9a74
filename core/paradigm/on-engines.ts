/** What halves on engines find there instead of in their bundle: see `core/engine/library.ts`. */

const written = (file: string, depths: number[]): string[] =>
  depths.flatMap((depth) => ['ts', 'js'].map((type) => `${'../'.repeat(depth)}core/${file}.${type}`));

/** How built-in paradigms, which are part of the package, import `tutti` and `tutti/engine`: from their folder, or one in it. */
export const CORE_ON_ENGINES = { tutti: written('index', [2, 3]), 'tutti/engine': written('engine/inside', [2, 3]) };

/** As far as engines have them. */
export const ON_ENGINES = ['tutti', 'tutti/*', ...Object.values(CORE_ON_ENGINES).flat()];
