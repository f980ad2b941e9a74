import { defineConfig } from 'vitest/config';

// Thousands of processes are started here, all on this machine; to read more authorities takes a third of the start of each.
delete process.env.NODE_EXTRA_CA_CERTS;

export default defineConfig({
  test: {
    include: ['spec/tests/**/*.test.ts'],
    // These are part of `npm run check`.
    exclude: ['spec/tests/{direction,docs,examples}.test.ts'],
    setupFiles: ['spec/tests/support/equality.ts'],
    pool: 'forks',
    // By default one core is left idle, and tests wait more than they compute.
    maxWorkers: 2,
    // Engines are killed all over the place; the tests of the log turn it on for themselves.
    env: { TUTTI_LOG: 'silent' },
    // Where nobody looks at once, a test that fails may show that it can pass; here it may not.
    retry: process.env.CI ? 2 : 0,
    // What takes place in its own time: the test's timeout bounds it.
    expect: { poll: { timeout: 30_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    server: { deps: { external: [/\/dist\//] } },
  },
});
