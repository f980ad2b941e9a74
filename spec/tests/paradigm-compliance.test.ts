/** The suite for paradigms: a sound one passes it, and what it looks for is found. */
import assert from 'node:assert/strict';
import type { ClientHost } from 'tutti';
import { type ParadigmFixture, paradigmCompliance } from 'tutti/compliance';
import { describe, test } from 'vitest';
import { probe } from '../fixtures/paradigms/probe.mjs';
import { ownHome } from './support/shared.ts';

ownHome();

const sound: ParadigmFixture<ClientHost, []> = {
  paradigm: probe,
  plugin: './probe.mjs',
  directory: new URL('../fixtures/paradigms/', import.meta.url).pathname,
  async exercise(h) {
    assert.equal(await h.controller.ask('echo', 1), 1);
    const there = h.client.engines.filter(({ state }) => state !== 'lost').map(({ id }) => id);
    assert.deepEqual(await h.group(there).ask('echo', 'x'), Array(there.length).fill('x'));
  },
  endless: (h) => h.engine(0).ask('forever'),
  failure: { provoke: (h) => h.controller.ask('broken', { message: 'far' }), name: 'RangeError' },
  report() {},
};

describe('a sound paradigm', () => paradigmCompliance(sound, { test }));

describe('a fault is found', () => {
  test.each<[string, RegExp, Partial<ParadigmFixture<ClientHost, []>>]>([
    ['in the module', /^its module exports it/, { plugin: './twin.mjs' }],
    [
      'in what it does',
      /^works where the controller is in this process/,
      { exercise: (h) => h.controller.ask('none') },
    ],
    ['in what it throws', /^what a handler throws/, { failure: { ...sound.failure!, name: 'TypeError' } }],
    ['in the size of its engine half', /^its engine half travels alone/, { bundleLimit: 10 }],
    ['in an installation', /own, started with the plug-in, and thread engines/, { plugin: './twin.mjs' }],
  ])('%s', async (_name, wanted, fault) => {
    const cases = new Map<string, () => Promise<void>>();
    paradigmCompliance({ ...sound, ...fault }, { test: (name, run) => void cases.set(name, run) });
    const [name] = [...cases.keys()].filter((key) => wanted.test(key));
    await assert.rejects(cases.get(name!)!);
  });
});
