import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { EOL, tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'vitest';
import { UsageError } from '../../core/errors.ts';
import { bundleScript, transformScript } from '../../core/functions/script.ts';
import { FunctionStore } from '../../core/functions/store.ts';
import { homeward } from '../../core/places.ts';

const fixtures = path.resolve('spec/fixtures/functions');

function storeOf(script: { hash: string; text: string }): FunctionStore {
  const store = new FunctionStore({ dir: fixtures });
  store.add(script.hash, script.text);
  return store;
}

/** As engines have it: the test runner would call scripts otherwise. Stacks are made into texts when they are read first. */
function plainStack(error: Error): string {
  const { prepareStackTrace } = Error;
  Object.assign(Error, { prepareStackTrace: undefined });
  try {
    return error.stack!;
  } finally {
    Object.assign(Error, { prepareStackTrace });
  }
}

describe('scripts', () => {
  test('run with what they import, and give their exports', async () => {
    const script = bundleScript(path.join(fixtures, 'script.ts'));
    const exports = await storeOf(script).runScript(script.hash, script.file, ['a', 'b']);
    assert.deepEqual(exports.seen, [314, path.sep, EOL, 'function']);
    assert.equal(exports.main, true);
    assert.deepEqual(exports.default, [script.file, 'a', 'b']);
  });

  test('keep their lines for the source map', async () => {
    const script = bundleScript(path.join(fixtures, 'script.ts'));
    const { fail } = (await storeOf(script).runScript(script.hash, script.file)) as { fail(): void };
    const source = readFileSync(script.file, 'utf8').split('\n');
    assert.throws(fail, (error: Error) => {
      assert.match(error.message, /from the script/);
      const { stack, excerpt } = homeward(plainStack(error));
      const [, file, line, column] = /at fail \((.*):(\d+):(\d+)\)/.exec(stack)!;
      const written = source[Number(line) - 1]!;
      assert.deepEqual([file, written.slice(Number(column) - 1, Number(column) + 8)], [script.file, 'new Error']);
      assert.equal(excerpt!.split('\n')[0], written.trim());
      return true;
    });
  });

  test.each([
    ["import d, { a as b, 'x-y' as c } from 'm'", 'const { default: d, "a": b, "x-y": c } = await import(\'m\')'],
    ["import d, * as n from 'm'", "const n = await import('m'); const { default: d } = n"],
    ["import 'm'", "await import('m'); "],
    ["export { a as default } from 'm'", '"default": (await import(\'m\'))["a"]'],
    ["export * from 'm'", "return { ...await import('m') }"],
    ['const a = 1;\nexport { a };', 'return { "a": a }'],
  ])('%s', (module, expected) => {
    const text = transformScript(module);
    assert.ok(text.includes(expected), text);
    assert.equal(text.split('\n').length, module.split('\n').length + 2);
  });

  test('errors show the place', () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'tutti-script-'));
    try {
      const broken = path.join(dir, 'broken.ts');
      writeFileSync(broken, 'const fine = 1;\nconst oops = fine +;\n');
      assert.throws(
        () => bundleScript(broken),
        (e: Error) => {
          assert.ok(e instanceof UsageError);
          assert.match(e.message, /^broken\.ts:2:20: .*\n {2}const oops = fine \+;\n {21}\^$/);
          return true;
        },
      );
      const astray = path.join(dir, 'astray.ts');
      writeFileSync(astray, "import { a } from './nowhere.ts';\nconsole.log(a);\n");
      assert.throws(() => bundleScript(astray), /^UsageError: astray\.ts:1:19: Could not resolve "\.\/nowhere\.ts"/);
      assert.throws(() => bundleScript(path.join(dir, 'absent.ts')), /Cannot read the script .*absent\.ts/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
