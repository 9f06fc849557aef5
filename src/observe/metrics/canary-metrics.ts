import { type Clock, SECOND } from '../../base/clock.ts'
import { AUTH_RESULTS } from '../../mail/authentication-results.ts'
import type { ProbeEvent } from '../../probe/events.ts'
import { VERDICT_LABELS } from '../../probe/model.ts'
import { counter, durations, extend, gauge } from './instruments.ts'
import { pairsOf, type ProbeSeries, routesOf, seedsOf } from './probe-series.ts'

type CanaryEvent = Extract<
  ProbeEvent,
  { readonly kind: 'canary-submitted' | 'verdict' | 'canary-late' | 'forged-canary' }
>

/** Metrics of what became of canaries. */
export function canaryMetrics(named: ProbeSeries, clock: Clock): (event: CanaryEvent) => void {
  const now = (): number => Math.floor(clock() / SECOND)
  const canaries = named.of(
    of => extend(pairsOf(of), 'verdict', VERDICT_LABELS),
    (registry, series) =>
      counter(
        registry,
        'mailcanary_canaries_total',
        'Canaries by final verdict. unknown is blindness of the prober, and no loss.',
        series,
      ),
  )
  const submitted = named.of(pairsOf, (registry, series) =>
    counter(
      registry,
      'mailcanary_canaries_submitted_total',
      'Canaries an origin has accepted.',
      series,
    ),
  )
  const arrival = named.of(routesOf, (registry, series) =>
    durations(
      registry,
      'mailcanary_canary_arrival_seconds',
      'Seconds from the submission of a canary to its arrival, for those that arrived in time.',
      series,
    ),
  )
  const late = counter(
    named.registry,
    'mailcanary_canaries_late_total',
    'Canaries that arrived after they were judged missing; their verdict stays missing.',
  )
  const auth = named.of(
    of => extend(extend(routesOf(of), 'check', ['spf', 'dkim', 'dmarc']), 'result', AUTH_RESULTS),
    (registry, series) =>
      counter(
        registry,
        'mailcanary_canary_auth_total',
        'Results of SPF, DKIM and DMARC as the provider wrote them into canaries that arrived.',
        series,
      ),
  )
  const lastVerdict = named.of(
    routesOf,
    (registry, series) =>
      gauge(
        registry,
        'mailcanary_last_verdict_timestamp_seconds',
        'Unix time of the last verdict other than unknown; the start of this process before the first.',
        series,
        now(),
      ),
    now,
  )
  const forged = named.of(seedsOf, (registry, series) =>
    counter(
      registry,
      'mailcanary_canaries_forged_total',
      'Messages that claimed to be a canary and could not prove it.',
      series,
    ),
  )
  return event => {
    switch (event.kind) {
      case 'canary-submitted': {
        const { origin, provider, seed } = event
        submitted.inc({ origin, provider, seed })
        return
      }
      case 'verdict': {
        const { origin, provider, seed, verdict } = event
        canaries.inc({ origin, provider, seed, verdict })
        if (event.seconds !== undefined) {
          // Two clocks took part; a canary does not arrive before it was sent.
          arrival.observe({ origin, provider }, Math.max(0, event.seconds))
        }
        for (const [check, result] of Object.entries(event.auth ?? {})) {
          auth.inc({ origin, provider, check, result: String(result) })
        }
        if (verdict !== 'unknown') lastVerdict.set({ origin, provider }, now())
        return
      }
      case 'canary-late':
        late.inc()
        return
      case 'forged-canary':
        forged.inc({ provider: event.provider, seed: event.seed })
        return
    }
  }
}
