import { defineConfig } from 'vitest/config'

/** `npm run test:package`: what is installed, in roots of its own. Needs root, debootstrap and Debian's packages. */
export default defineConfig({
  test: {
    include: ['test/package/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    maxWorkers: 3,
    globalSetup: ['test/support/global-setup.ts', 'test/package/base-system.ts'],
  },
})
