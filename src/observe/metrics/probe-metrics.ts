import type { Registry } from 'prom-client'

import type { Clock } from '../../base/clock.ts'
import type { ProbeEvent } from '../../probe/events.ts'
import { SKIP_REASONS } from '../../probe/schedule.ts'
import { canaryMetrics } from './canary-metrics.ts'
import { combinations, counter, gauge } from './instruments.ts'
import { type ProbeNames, ProbeSeries } from './probe-series.ts'
import { seedMetrics } from './seed-metrics.ts'

interface ProbeMetrics {
  readonly report: (event: ProbeEvent) => void
  /** Goes on with other names: what stays keeps its numbers. */
  readonly rename: (names: ProbeNames) => void
}

/** Metrics of the prober: what became of canaries, whether we can see, and whether they are sent. */
export function probeMetrics(registry: Registry, first: ProbeNames, clock: Clock): ProbeMetrics {
  const named = new ProbeSeries(registry, first)
  let known = knownOf(first)
  const canary = canaryMetrics(named, clock)
  const seed = seedMetrics(named)
  const skipped = counter(
    registry,
    'mailcanary_probe_ticks_skipped_total',
    'Ticks of the schedules at which a probe sent no canary.',
    combinations({ reason: SKIP_REASONS }),
  )
  const paused = named.of(
    ({ probes }) => combinations({ probe: probes, cause: ['operator', 'undecided'] }),
    (_, series) =>
      gauge(
        registry,
        'mailcanary_probe_paused',
        'Whether a probe does not send (1): by an operator, or because too many of its canaries have no verdict.',
        series,
      ),
  )
  const faults = counter(
    registry,
    'mailcanary_probe_faults_total',
    'Faults inside the prober, each with a line in the log.',
  )

  const report = (event: ProbeEvent): void => {
    // The last canaries of what is configured no more have verdicts, and no series.
    if ('seed' in event && !known.seeds.has(event.seed)) return
    if ('origin' in event && !known.origins.has(event.origin)) return
    switch (event.kind) {
      case 'canary-submitted':
      case 'verdict':
      case 'canary-late':
      case 'forged-canary':
        canary(event)
        return
      case 'seed-up':
      case 'seed-down':
      case 'token-refreshed':
      case 'token-failed':
        seed.report(event)
        return
      case 'tick-skipped':
        skipped.inc({ reason: event.reason }, event.ticks)
        return
      case 'probe-standing': {
        const { probe } = event
        paused.set({ probe, cause: 'operator' }, event.paused ? 1 : 0)
        paused.set({ probe, cause: 'undecided' }, event.undecided ? 1 : 0)
        return
      }
      case 'detector-alarm':
      case 'detector-calm':
        // Read at each scrape.
        return
      case 'probe-fault':
        faults.inc()
        return
    }
  }
  const rename = (next: ProbeNames): void => {
    named.rename(next)
    known = knownOf(next)
    seed.renamed()
  }
  return { report, rename }
}

function knownOf({ origins, seeds }: ProbeNames): {
  readonly origins: ReadonlySet<string>
  readonly seeds: ReadonlySet<string>
} {
  return { origins: new Set(origins), seeds: new Set(seeds.map(({ name }) => name)) }
}
