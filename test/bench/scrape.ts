import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'

import { createMetrics } from '../../src/observe/metrics.ts'

/*
 * What one scrape takes where there is much to tell: 200 seeds at 5 providers, 5 origins, every probe and every
 * signal of the detector. Goal: 50 ms.
 *
 *   node test/bench/scrape.ts --seeds 200 --origins 5
 */

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    origins: { type: 'string', default: '5' },
    scrapes: { type: 'string', default: '50' },
  },
})
const providers = ['gmail', 'hotmail', 'yahoo', 'web-de', 'gmx']
const origins = Array.from({ length: Number(values.origins) }, (_, i) => `origin-${i}`)
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => ({
  name: `seed-${i}`,
  provider: providers[i % providers.length] ?? '',
}))
const pairs = origins.flatMap(origin => seeds.map(seed => ({ origin, seed })))
const metrics = createMetrics({
  origins,
  providers,
  seeds,
  probes: pairs.map(({ origin, seed }) => `${origin}/${seed.name}`),
  version: '0.1.0',
  clock: Date.now,
  inputs: {
    queue: async () => ({ queued: 100, active: 8, held: 0, oldestAt: Date.now() - 90_000 }),
    sites: () => [],
    directory: () => ({ ageSeconds: 61, accounts: 1_200 }),
    certificateExpiry: () => Date.now() + 864_000_000,
    freeSpace: () => 5e9,
    detector: () =>
      origins.flatMap(origin =>
        providers.flatMap(provider =>
          (['arrival', 'inbox', 'lateness'] as const).map(signal => ({
            origin,
            provider,
            signal,
            evidence: 0.2,
            alarm: false,
            baseline: 0.01,
            canaries: 9,
            failures: 1,
          })),
        ),
      ),
  },
})
for (const { origin, seed } of pairs) {
  metrics.probe({
    kind: 'verdict',
    id: 'c',
    origin,
    provider: seed.provider,
    seed: seed.name,
    verdict: 'inbox',
    stage: undefined,
    seconds: 4.2,
    auth: { spf: 'pass', dkim: 'pass', dmarc: 'pass' },
    detail: '',
  })
}

// The first one warms up.
const took: number[] = []
let text = ''
const before = process.cpuUsage()
for (let i = 0; i < Number(values.scrapes); i += 1) {
  const began = performance.now()
  text = await metrics.text()
  took.push(performance.now() - began)
}
const { user, system } = process.cpuUsage(before)
took.sort((a, b) => a - b)
const at = (quantile: number): string =>
  (took[Math.floor(quantile * (took.length - 1))] ?? 0).toFixed(1)
const series = text.split('\n').filter(line => line !== '' && !line.startsWith('#')).length
process.stdout.write(
  `${seeds.length} seeds, ${origins.length} origins: ${series} series, ${(text.length / 1024).toFixed(0)} KiB; ` +
    `a scrape takes ${at(0.5)} ms (median of ${took.length}), ${at(0.9)} ms for 9 of 10, and ${((user + system) / 1_000 / took.length).toFixed(1)} ms of processor; goal 50 ms\n`,
)
