import { performance } from 'node:perf_hooks'

import { createMetrics } from '../../src/observe/metrics.ts'
import { median } from './measure.ts'
import type { Verdict } from './report.ts'

const SEEDS = 200
const ORIGINS = 5
const SCRAPES = 50
const TARGET_MS = 50

/**
 * What one scrape takes where there is much to tell: 200 seeds at 5 providers, 5 origins, every probe and every signal
 * of the detector.
 */
export async function scrapeVerdict(): Promise<Verdict> {
  const providers = ['gmail', 'hotmail', 'yahoo', 'web-de', 'gmx']
  const origins = Array.from({ length: ORIGINS }, (_, i) => `origin-${i}`)
  const seeds = Array.from({ length: SEEDS }, (_, i) => ({
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

  const took: number[] = []
  let text = ''
  for (let i = 0; i < SCRAPES; i += 1) {
    const began = performance.now()
    text = await metrics.text()
    took.push(performance.now() - began)
  }
  const milliseconds = median(took)
  const series = text.split('\n').filter(line => line !== '' && !line.startsWith('#')).length
  return {
    what: `scrape: ${SEEDS} seeds, ${ORIGINS} origins, ${series} series`,
    target: `under ${TARGET_MS} ms`,
    measured: `${milliseconds.toFixed(1)} ms`,
    met: milliseconds < TARGET_MS,
  }
}
