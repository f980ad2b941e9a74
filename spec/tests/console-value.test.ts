import fc from 'fast-check';
import { expect, test } from 'vitest';
import { prepare } from '../../core/console/index.ts';
import { createEvaluator } from '../../core/engine/evaluator.ts';

// A label that none inside has.
function labelled(text: string): string {
  const label = `far${text.split('far').length}`;
  return `${label}: ${text.replaceAll('LABEL', label)}`;
}

// Random programs of nested statements that end, with jumps; `c` counts loop turns.
const number = fc.integer({ min: 0, max: 99 });
const { statement } = fc.letrec<{ statement: string; block: string; body: string }>((tie) => ({
  statement: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    number.map((n) => `${n};`),
    number.map((n) => `var v${n % 3} = ${n};`),
    fc.constantFrom(';', '{}', 'let l = 1;'),
    fc.tuple(number, tie('body'), tie('body')).map(([n, a, b]) => `if (${n} % 2) ${a} else ${b}`),
    fc.tuple(number, tie('body')).map(([n, a]) => `if (${n} % 2) ${a}`),
    tie('block'),
    tie('block').map((b) => `for (var w of [1, 2]) ${b}`),
    fc.tuple(tie('block'), tie('block')).map(([a, b]) => `for (const i of [1, 2, 3]) { if (i > 1) ${a} else ${b} }`),
    fc
      .tuple(tie('block'), fc.constantFrom('break', 'continue'))
      .map(([b, j]) => `for (const i of [1, 2]) { ${b} ${j}; }`),
    fc
      .tuple(tie('block'), tie('block'))
      .map(([a, b]) => `do { ${a} if (c++ % 2) break; ${b} } while (c % 5 && c < 60);`),
    fc.tuple(tie('block'), tie('block')).map(([a, b]) => labelled(`{ ${a} if (c++ % 2) break LABEL; ${b} }`)),
    fc
      .tuple(tie('block'), tie('block'))
      .map(([a, b]) => labelled(`for (const i of [1, 2]) { ${a} for (;;) { ${b} continue LABEL; } }`)),
    fc
      .tuple(tie('block'), tie('block'), tie('block'))
      .map(([a, b, d]) => `try { ${a} if (c++ % 2) throw 1; } catch { ${b} } finally { ${d} }`),
    fc.tuple(tie('block'), tie('block')).map(([a, b]) => `for (;;) { try { ${a} } finally { ${b} break; } }`),
    fc
      .tuple(number, tie('block'), tie('block'))
      .map(([n, a, b]) => `switch (${n} % 3) { case 0: ${a} case 1: ${b} break; default: ${n}; }`),
  ),
  body: fc.oneof(
    tie('statement').filter((s) => !s.startsWith('let')),
    tie('block'),
  ),
  block: fc
    .array(
      tie('statement').filter((s) => !s.startsWith('let')),
      { maxLength: 3 },
    )
    .map((s) => `{ ${s.join(' ')} }`),
}));

test('a collected value is the completion value of the same statements in eval', () => {
  const evaluator = createEvaluator(process.cwd());
  const program = fc.array(
    statement.filter((s) => !/^(let|var)/.test(s)),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(program, (statements) => {
      const source = `let c = 0;\n${statements.join('\n')}`;
      // biome-ignore lint/complexity/noCommaOperator: an indirect eval
      const expected = (0, eval)(source);
      const { cell } = prepare(source, { params: ['unused'] });
      expect(cell.wrapped).toBe(true);
      expect(evaluator.run(cell, [0])).toBe(expected);
    }),
    { numRuns: 1500 },
  );
});
