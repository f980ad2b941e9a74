import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['spec/tests/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    server: { deps: { external: [/\/dist\//] } },
  },
});
