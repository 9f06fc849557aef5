import type { Registry } from 'prom-client'

import { SECOND, type Clock } from '../../base/clock.ts'
import type { DetectorReading } from '../../probe/detector.ts'
import type { SiteState } from '../../relay/queue/site-traffic.ts'
import type { QueueCounts } from '../../relay/queue/store.ts'
import { detectorMetrics } from './detector-metrics.ts'
import { combinations, counter, gauge } from './instruments.ts'

/** What is asked at each scrape, since only its owner knows it. One that is absent has no metric. */
export interface MetricInputs {
  readonly queue?: () => Promise<QueueCounts>
  /** How mail goes to each provider, or to each host that is of none. */
  readonly sites?: () => readonly SiteState[]
  /** Undefined while no snapshot is loaded. */
  readonly directory?: () => { readonly ageSeconds: number; readonly accounts: number } | undefined
  /** Of every signal the detector watches. */
  readonly detector?: () => readonly DetectorReading[]
  /** When the certificate that ends first does, milliseconds since the epoch; undefined where there is none. */
  readonly certificateExpiry?: () => number | undefined
  /** Octets that are left for the state; undefined where nobody knows. */
  readonly freeSpace?: () => number | undefined
}

// Prometheus gives a scrape ten seconds; one slow store must not take the other numbers with it.
const PATIENCE = 3 * SECOND

/**
 * Registers the gauges that are read at each scrape.
 *
 * @returns what reads them: to be awaited before the registry is written out. It never rejects, for a scrape that
 * fails hides every other number: an input that fails is counted, and its metric says NaN.
 */
export function inputMetrics(
  registry: Registry,
  inputs: MetricInputs,
  clock: Clock,
  providers: readonly string[],
): () => Promise<void> {
  const { queue, directory, detector, certificateExpiry, sites, freeSpace } = inputs
  const readers: (readonly [string, () => Promise<void>])[] = []
  if (queue) {
    const set = queueGauges(registry, clock)
    readers.push(['queue', () => read(queue, set)])
  }
  if (sites) {
    const set = siteGauges(registry, clock, [...new Set([...providers, 'other'])])
    readers.push(['sites', () => read(sites, set)])
  }
  if (directory) {
    const set = directoryGauges(registry)
    readers.push(['directory', () => read(directory, set)])
  }
  if (detector) {
    const set = detectorMetrics(registry, detector())
    readers.push(['detector', () => read(detector, set)])
  }
  if (certificateExpiry) {
    const expiry = gauge(
      registry,
      'mailcanary_certificate_expiry_seconds',
      'Seconds until the first of our certificates expires; negative once it has.',
    )
    readers.push([
      'certificate',
      () =>
        read(certificateExpiry, at => expiry.set(at === undefined ? NaN : secondsTo(at, clock))),
    ])
  }
  if (freeSpace) {
    const free = gauge(
      registry,
      'mailcanary_state_free_bytes',
      'Octets that are free for us on the file system of the state folder; NaN where that cannot be asked.',
    )
    readers.push(['disk', () => read(freeSpace, octets => free.set(octets ?? NaN))])
  }
  const failures = counter(
    registry,
    'mailcanary_metrics_input_failures_total',
    'Times a number could not be had for a scrape; its metric is NaN then.',
    combinations({ input: readers.map(([input]) => input) }),
  )
  return async () => {
    await Promise.all(readers.map(([input, go]) => go().catch(() => failures.inc({ input }))))
  }
}

function queueGauges(registry: Registry, clock: Clock): (counts: QueueCounts | undefined) => void {
  const states = ['queued', 'active', 'held'] as const
  const messages = gauge(
    registry,
    'mailcanary_relay_queue_messages',
    'Deliveries that wait for their time (queued), are attempted (active), are kept back (held).',
    combinations({ state: states }),
  )
  const oldest = gauge(
    registry,
    'mailcanary_relay_queue_oldest_seconds',
    'Age of the oldest message that has not reached its end; 0 if there is none.',
  )
  return counts => {
    for (const state of states) messages.set({ state }, counts?.[state] ?? NaN)
    const since = counts?.oldestAt
    if (!counts) oldest.set(NaN)
    else oldest.set(since === undefined ? 0 : Math.max(0, -secondsTo(since, clock)))
  }
}

function siteGauges(
  registry: Registry,
  clock: Clock,
  providers: readonly string[],
): (sites: readonly SiteState[] | undefined) => void {
  const series = combinations({ provider: providers })
  const running = gauge(
    registry,
    'mailcanary_relay_deliveries_running',
    'Deliveries under way to each provider.',
    series,
  )
  const level = gauge(
    registry,
    'mailcanary_relay_shaping_level',
    'Steps below the full allowance since the provider objected, 0 to 4; of several hosts the slowest.',
    series,
  )
  const paused = gauge(
    registry,
    'mailcanary_relay_shaping_paused_seconds',
    'Seconds for which the provider gets no mail since it asked for that; of several hosts the longest.',
    series,
  )
  return sites => {
    for (const provider of providers) {
      const of = sites?.filter(site => site.provider === provider)
      const most = (numbers: readonly number[] | undefined): number =>
        numbers === undefined ? NaN : Math.max(0, ...numbers)
      running.set({ provider }, of?.reduce((sum, site) => sum + site.running, 0) ?? NaN)
      level.set({ provider }, most(of?.map(site => site.level)))
      paused.set({ provider }, most(of?.map(site => secondsTo(site.pausedUntil, clock))))
    }
  }
}

function directoryGauges(
  registry: Registry,
): (known: { ageSeconds: number; accounts: number } | undefined) => void {
  const accounts = gauge(
    registry,
    'mailcanary_directory_accounts',
    'Accounts of the directory that can log in; NaN while no directory data is loaded.',
  )
  const age = gauge(
    registry,
    'mailcanary_directory_age_seconds',
    'Age of the directory data in use; NaN while none is loaded.',
  )
  return known => {
    accounts.set(known?.accounts ?? NaN)
    age.set(known?.ageSeconds ?? NaN)
  }
}

/** Hands over what an input says, or undefined if it fails or does not answer in time; then it rejects too. */
async function read<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  set: (value: T | undefined) => void,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  try {
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer in time')), PATIENCE)
    })
    set(await Promise.race([ask(), tooLate]))
  } catch (error) {
    set(undefined)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

function secondsTo(at: number, clock: Clock): number {
  return (at - clock()) / SECOND
}
