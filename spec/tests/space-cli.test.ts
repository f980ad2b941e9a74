/** `tutti space`: scripts that work together. */
import { afterAll, expect, test } from 'vitest';
import { Terminal } from '../fixtures/cli/terminal.ts';

const terminal = new Terminal();
afterAll(() => terminal.close());

test('tuples go in and out, with exit codes and in lines', async () => {
  await terminal.json('start', '-n', '0', '--name', 'c', '--detach', '--durable', 'folder');
  const space = (...args: string[]) => terminal.run(['space', ...args, '--name', 'c']);
  const json = (...args: string[]) => terminal.json('space', ...args, '--name', 'c');
  const taking = terminal.start(['space', 'take', '["job", ?]', '--name', 'c']);
  expect(await json('out', '["job",1]', '["job",{"$bigint":"7"}]', '{"kind":"x","at":[1,2]}')).toEqual({ out: 3 });
  expect((await taking.ended).stdout).toMatch(/^\["job",1\]\n$/);
  expect(await space('read', '{"kind":{"$re":"^X","flags":"i"}}')).toMatchObject({
    code: 0,
    stdout: '{"kind":"x","at":[1,2]}\n',
  });
  expect(await space('take', '["job",?]', '--try')).toMatchObject({ code: 0, stdout: '["job",{"$bigint":"7"}]\n' });
  expect(await space('take', '["job",?]', '--try')).toMatchObject({ code: 1, stdout: '' });
  expect(await space('take', '["job",?]', '--timeout', '5')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/within 5 ms/),
  });
  expect(await json('count')).toEqual({ count: 1 });

  const lines = Array.from({ length: 30 }, (_, i) => JSON.stringify(['n', i])).join('\n');
  const put = await terminal.run(['space', 'import', '--space', 'many', '--durable', '--name', 'c'], { input: lines });
  expect(put).toMatchObject({ code: 0, stdout: "Imported 30 tuples into space 'many'\n" });
  expect(await json('count', '["n",{"$range":[10,null]}]', '--space', 'many')).toEqual({ count: 20 });
  const all = await space('take', '["n",{"$oneOf":[3,4]}]', '--all', '--space', 'many');
  expect(all).toMatchObject({ code: 0, stdout: '["n",3]\n["n",4]\n' });
  const some = await space('take', '["n",?]', '--follow', '--count', '2', '--space', 'many');
  expect(some).toMatchObject({ code: 0, stdout: '["n",0]\n["n",1]\n' });
  expect((await space('export', '--space', 'many')).stdout.split('\n')).toHaveLength(27);
  expect(await json('list')).toMatchObject([
    { name: 'default', tuples: 1, durable: false, bound: null },
    { name: 'many', tuples: 26, durable: true },
  ]);
  const watching = terminal.start(['space', 'watch', '["w",?]', '--count', '2', '--name', 'c']);
  await expect.poll(async () => (await json('list'))[0].watches, { timeout: 20_000 }).toBe(1);
  await space('out', '["w",1]');
  await space('take', '["w",?]');
  expect((await watching.ended).stdout).toBe('{"kind":"write","tuple":["w",1]}\n{"kind":"take","tuple":["w",1]}\n');
}, 240_000);

test('what is wrong is told, with its place', async () => {
  const at = (...args: string[]) => terminal.run(['space', ...args, '--name', 'c']);
  expect(await at('out', '["job",}')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/no JSON, at position 7: "}" does not belong here\n.*\n {9}\^/),
  });
  expect(await at('take', '[?, ?, x]')).toMatchObject({ code: 2, stderr: expect.stringMatching(/at position 7/) });
  expect(await at('out', '[]')).toMatchObject({ code: 2, stderr: expect.stringMatching(/one field at least/) });
  expect(await at('take', '[{"$gone":1}]')).toMatchObject({ code: 2, stderr: expect.stringMatching(/keys with '\$'/) });
  expect(await at('count', '--space', 'nowhere')).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/no space 'nowhere'; spaces here: default/),
  });
  const bad = await terminal.run(['space', 'import', '--name', 'c'], { input: '["a"]\n["b"\n' });
  expect(bad).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/Line 2: This is no JSON, at position 4: it ends too early/),
  });
  expect(await terminal.run(['space', 'count', '--name', 'nobody'])).toMatchObject({ code: 3 });
  const waiting = terminal.start(['space', 'take', '["never"]', '--name', 'c']);
  await expect
    .poll(async () => (await terminal.json('space', 'list', '--name', 'c'))[0].waiting, { timeout: 20_000 })
    .toBe(1);
  waiting.child.kill('SIGINT');
  expect((await waiting.ended).code).toBe(130);
}, 120_000);
