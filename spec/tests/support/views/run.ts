import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Check } from '../../view-suite.ts';
import { all as everything } from '../conditions.ts';
import { inFolder } from '../shared.ts';

/** A project of its own: a script, a module beside it, and a package that only it has. */
function project(folder: string, script: string): string {
  mkdirSync(path.join(folder, 'node_modules/left-word'), { recursive: true });
  writeFileSync(
    path.join(folder, 'node_modules/left-word/package.json'),
    '{ "name": "left-word", "version": "1.0.0", "main": "index.js" }',
  );
  writeFileSync(path.join(folder, 'node_modules/left-word/index.js'), 'module.exports = (s) => s.split(" ")[0];');
  writeFileSync(
    path.join(folder, 'shapes.ts'),
    'export enum Size { Large = 10 }\nexport const area = (r: number): number => r * r;\n',
  );
  const file = path.join(folder, 'script.ts');
  writeFileSync(file, script);
  return file;
}

export function runSuite(check: Check): void {
  check('run sends a script with what it imports', async ({ all, engine }) => {
    await inFolder(async (folder) => {
      const file = project(
        folder,
        `
        import leftWord from 'left-word';
        import { area, Size } from './shapes.ts';
        export const found = [leftWord('hello world'), area(Size.Large), engine.id, ...process.argv.slice(2)];
        console.log('from the script');
      `,
      );
      const result = all.run(file, { args: ['a', 'b'] });
      const printed = everything(result.stdout$);
      assert.deepEqual(
        (await result).map((r) => r.exitCode),
        [0, 0, 0],
      );
      assert.deepEqual(
        (await result).map((r) => r.exports.found),
        [0, 1, 2].map((id) => ['hello', 100, id, 'a', 'b']),
      );
      assert.deepEqual(
        (await printed).map((p) => [p.engine, p.text]).sort(),
        [0, 1, 2].map((id) => [id, 'from the script\n']),
      );
      assert.deepEqual((await engine(1).run(pathToFileURL(file))).exports.found, ['hello', 100, 1]);
    });
  });

  check("a script's exit code is its own", async ({ all, engine }) => {
    await inFolder(async (folder) => {
      const before = await all.execute('process.pid');
      assert.deepEqual(
        await all.run(project(folder, 'process.exit(engine.id + 3)')),
        [3, 4, 5].map((exitCode) => ({ exitCode, exports: {} })),
      );
      const late = project(folder, 'setImmediate(() => process.exit(7));\nawait new Promise(() => {});');
      assert.equal((await engine(1).run(late)).exitCode, 7);
      const set = project(folder, 'process.exitCode = 4; export default 1;');
      assert.deepEqual(await engine(1).run(set), { exitCode: 4, exports: { default: 1 } });
      assert.equal((await engine(1).run(project(folder, 'export default 1'))).exitCode, 0);
      assert.deepEqual(await all.execute('process.pid'), before);
    });
  });

  check('a script that throws, cannot be built, or is not there', async ({ all, engine }) => {
    await inFolder(async (folder) => {
      await assert.rejects(
        async () => engine(0).run(project(folder, '\n\nthrow new TypeError("bad script")')),
        (error: any) => {
          assert.equal(error.name, 'TypeError');
          assert.match(error.remoteStack, /script\.ts/);
          return true;
        },
      );
      await assert.rejects(async () => all.run(project(folder, 'import "./absent.ts"')), /UsageError: .*script\.ts:1:/);
      await assert.rejects(async () => all.run(path.join(folder, 'nothing.ts')), /UsageError: Cannot read the script/);
    });
  });
}
