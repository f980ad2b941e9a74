import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['spec/tests/**/*.test.ts'],
    // These are part of `npm run check`.
    exclude: ['spec/tests/{direction,docs,examples}.test.ts'],
    pool: 'forks',
    // Engines are killed all over the place; the tests of the log turn it on for themselves.
    env: { TUTTI_LOG: 'silent' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    server: { deps: { external: [/\/dist\//] } },
  },
});
