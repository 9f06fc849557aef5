import { defineConfig } from 'vitest/config'

// The only test of what no package brings: docs/monitoring.md says how it is run. Everywhere else it is not there.
const withoutSchemas =
  process.env['MAILCANARY_GRAFANA_SCHEMAS'] === undefined
    ? ['test/dashboards/json-schema.test.ts']
    : []

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', 'test/package/**', ...withoutSchemas],
    // Every test ends by an event of its own; this only ends one that hangs.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    pool: 'forks',
    // Node takes the types out of our files with WebAssembly, in each thread that a test starts. Where two of them make the
    // same wrapper faster at the same time V8 may end the process ("Check failed: jit_page.has_value()"): it never does so.
    // What is installed is compiled, and has none of it.
    execArgv: ['--wasm-wrapper-tiering-budget=2000000000'],
    // Most tests wait for servers, not for a processor: one worker more than the two cores of the smallest machine.
    maxWorkers: 3,
    globalSetup: ['test/support/global-setup.ts'],
    coverage: { provider: 'v8', include: ['src/**/*.ts'], exclude: ['src/web/browser/**'] },
  },
})
