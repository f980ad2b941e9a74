/** The completion value of statements inside a function, where the language does not tell it: every step notes it. */
import type { Statement, VariableDeclaration } from 'acorn';
import { assign, terminate } from './declarations.ts';
import type { Output } from './output.ts';

type Nested = Statement | VariableDeclaration;

/** The statements directly inside a statement; functions and classes are not looked into. */
function inside(statement: Statement): Nested[] {
  switch (statement.type) {
    case 'BlockStatement':
      return statement.body;
    case 'IfStatement':
      return statement.alternate ? [statement.consequent, statement.alternate] : [statement.consequent];
    case 'ForStatement':
      return statement.init?.type === 'VariableDeclaration' ? [statement.init, statement.body] : [statement.body];
    case 'ForInStatement':
    case 'ForOfStatement':
      return statement.left.type === 'VariableDeclaration' ? [statement.left, statement.body] : [statement.body];
    case 'WhileStatement':
    case 'DoWhileStatement':
    case 'WithStatement':
    case 'LabeledStatement':
      return [statement.body];
    case 'SwitchStatement':
      return statement.cases.flatMap((c) => c.consequent);
    case 'TryStatement':
      return [statement.block, statement.handler?.body, statement.finalizer].filter((s) => s != null);
    default:
      return [];
  }
}

/** Every `var` in or under a statement, in order. */
export function varDeclarations(statement: Statement): VariableDeclaration[] {
  if (statement.type === 'VariableDeclaration') return statement.kind === 'var' ? [statement] : [];
  return inside(statement).flatMap(varDeclarations);
}

/** Edits a statement so that `value` holds its completion value afterwards, and its `var`s set properties of the global. */
export function collectValue(
  output: Output,
  outermost: Statement,
  code: string,
  value: string,
  own: (name: string) => boolean,
): void {
  const reset = `${value} = void 0;`;

  // `alone`: the only statement of an `if`, a loop or a label, where a second one needs a block.
  function visit(statement: Statement, alone: boolean): void {
    const { start, end } = statement;
    switch (statement.type) {
      case 'ExpressionStatement': {
        const stop = code[end - 1] === ';' ? end - 1 : end;
        output.replace(start, start, `${value} = (`);
        output.replace(stop, stop, ')');
        return;
      }
      case 'VariableDeclaration':
        if (statement.kind !== 'var') return;
        assign(output, statement, own);
        terminate(output, statement, code);
        return;
      case 'BlockStatement':
        for (const s of statement.body) visit(s, false);
        return;
      case 'LabeledStatement': {
        let labelled: Statement = statement;
        while (labelled.type === 'LabeledStatement') labelled = labelled.body;
        if (startsEmpty(labelled)) afterReset(start, end, alone, () => visitInside(labelled));
        else visit(labelled, true);
        return;
      }
      default:
        if (startsEmpty(statement)) afterReset(start, end, alone, () => visitInside(statement));
    }
  }

  function afterReset(start: number, end: number, alone: boolean, rest: () => void): void {
    output.replace(start, start, alone ? `{${reset}` : reset);
    rest();
    if (alone) output.replace(end, end, '}');
  }

  function visitInside(statement: Statement): void {
    switch (statement.type) {
      case 'ForStatement':
        if (statement.init?.type === 'VariableDeclaration' && statement.init.kind === 'var')
          assign(output, statement.init, own);
        visit(statement.body, true);
        return;
      case 'ForInStatement':
      case 'ForOfStatement': {
        const { left } = statement;
        if (left.type === 'VariableDeclaration' && left.kind === 'var')
          output.replace(left.start, left.declarations[0]!.start, '');
        visit(statement.body, true);
        return;
      }
      case 'SwitchStatement':
        for (const s of inside(statement)) visit(s as Statement, false);
        return;
      case 'TryStatement': {
        const { block, handler, finalizer } = statement;
        visit(block, false);
        if (handler) {
          output.replace(handler.body.start + 1, handler.body.start + 1, reset);
          visit(handler.body, false);
        }
        if (!finalizer) return;
        // What `finally` computes counts only if it leaves by a jump.
        output.replace(finalizer.start + 1, finalizer.start + 1, `const ${value}Before = ${value};${reset}`);
        visit(finalizer, false);
        output.replace(finalizer.end - 1, finalizer.end - 1, `;${value} = ${value}Before;`);
        return;
      }
      default:
        for (const s of inside(statement)) visit(s as Statement, true);
    }
  }

  visit(outermost, false);
}

/** Statements whose value is `undefined` where nothing in them had one, whatever came before. */
function startsEmpty({ type }: Statement): boolean {
  switch (type) {
    case 'IfStatement':
    case 'ForStatement':
    case 'ForInStatement':
    case 'ForOfStatement':
    case 'WhileStatement':
    case 'DoWhileStatement':
    case 'SwitchStatement':
    case 'TryStatement':
    case 'WithStatement':
      return true;
    default:
      return false;
  }
}
