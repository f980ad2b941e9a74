/** The package as it is built: see `build.mjs`. */
import { fileURLToPath } from 'node:url';
import { Observable } from 'rxjs';
import * as tutti from 'tutti';
import * as engine from 'tutti/engine';
import * as paradigms from 'tutti/paradigms';
import { expect, test } from 'vitest';
import { readyBundle } from '../../core/functions/bundle.ts';
import { paradigmsIn } from '../../core/paradigm/paradigm.ts';

test('classes have the names by which they are exported', () => {
  const classes = [tutti, engine, paradigms]
    .flatMap((module) => Object.entries(module))
    .filter(([name, value]) => typeof value === 'function' && /^[A-Z]/.test(name) && value.prototype);
  expect(classes.length).toBeGreaterThan(40);
  for (const [name, { name: own }] of classes as [string, { name: string }][]) expect(own).toBe(name);
});

test('the package and who uses it have one rxjs', () => {
  expect(tutti.Deferred.succeed(1).toObservable()).toBeInstanceOf(Observable);
});

test('halves of its paradigms are bundled by the build', () => {
  const withHalves = paradigmsIn(paradigms).filter(({ engine }) => engine);
  expect(withHalves.map(({ name }) => name).sort()).toEqual(['farm', 'mapreduce', 'mpi', 'space']);
  for (const { engine: half, module } of withHalves)
    expect(readyBundle(fileURLToPath(new URL(`${half}.cjs`, module)))?.text, module).toContain('namespace');
});
