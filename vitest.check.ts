import { defineConfig } from 'vitest/config';
import './vitest.config.ts'; // for what it does to the environment

// `npm run check`: what the repository says of itself holds. One file after the other, two programs at a time, since
// each starts clusters.
export default defineConfig({
  test: {
    include: ['spec/tests/{direction,examples,docs}.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    maxConcurrency: 2,
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
});
