import { collectDefaultMetrics, Registry } from 'prom-client'

import type { ReportAccountEvent } from '../account/events.ts'
import { SECOND, type Clock } from '../base/clock.ts'
import type { ReportDirectoryEvent } from '../directory/events.ts'
import type { ReportProbeEvent } from '../probe/events.ts'
import type { ReportRelayEvent } from '../relay/events.ts'
import type { SelfReport } from './checks/self-check.ts'
import { accountMetrics } from './metrics/account-metrics.ts'
import { checkMetrics } from './metrics/check-metrics.ts'
import { directoryMetrics } from './metrics/directory-metrics.ts'
import { Exposition } from './metrics/exposition.ts'
import { inputMetrics, type MetricInputs } from './metrics/inputs.ts'
import { gauge } from './metrics/instruments.ts'
import { probeMetrics } from './metrics/probe-metrics.ts'
import type { ProbeNames } from './metrics/probe-series.ts'
import { relayMetrics } from './metrics/relay-metrics.ts'

export interface MetricsOptions extends ProbeNames {
  /** Provider labels that delivery attempts may carry; any other is counted as `other`. */
  readonly providers: readonly string[]
  readonly version: string
  readonly clock: Clock
  readonly inputs: MetricInputs
  /** Zones of the blocklists that are asked; undefined where we do not look at ourselves. */
  readonly blocklists?: readonly string[]
}

/** Everything Prometheus may ask. Fed by events; each instance has a registry of its own. */
export interface Metrics {
  /** Media type of `text`. */
  readonly contentType: string
  /** The classic text format. Never rejects for an input that fails. */
  text(): Promise<string>
  readonly relay: ReportRelayEvent
  readonly probe: ReportProbeEvent
  readonly directory: ReportDirectoryEvent
  readonly account: ReportAccountEvent
  /** Goes on with other origins, seeds and probes: what stays keeps its numbers. */
  readonly rename: (names: ProbeNames) => void
  /** Whether a changed configuration was taken. */
  readonly reloaded: (taken: boolean) => void
  readonly selfCheck: (report: SelfReport) => void
}

// Gauges named like counters: `promtool check metrics` is right to object to them.
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
]

/** Whether what runs is what the files say. */
function reloadMetrics(registry: Registry, clock: Clock): (taken: boolean) => void {
  const successful = gauge(
    registry,
    'mailcanary_config_last_reload_successful',
    'Whether the configuration was taken when it was read last (1), or was wrong and the one before stays (0).',
    [{}],
    1,
  )
  const last = gauge(
    registry,
    'mailcanary_config_last_reload_success_timestamp_seconds',
    'Unix time at which a configuration was taken last.',
    [{}],
    Math.floor(clock() / SECOND),
  )
  return taken => {
    successful.set(taken ? 1 : 0)
    if (taken) last.set(Math.floor(clock() / SECOND))
  }
}

export function createMetrics(options: MetricsOptions): Metrics {
  const { clock } = options
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const name of MISNAMED) registry.removeSingleMetric(name)
  gauge(
    registry,
    'mailcanary_build_info',
    'Always 1; the version is in the label.',
    [{ version: options.version }],
    1,
  )
  const relay = relayMetrics(registry, options.providers)
  const probe = probeMetrics(registry, options, clock)
  const directory = directoryMetrics(registry, clock)
  const account = accountMetrics(registry)
  const selfCheck =
    options.blocklists === undefined
      ? () => undefined
      : checkMetrics(registry, options.blocklists, clock)
  const exposition = new Exposition(registry)
  const readInputs = inputMetrics(registry, options.inputs, clock, options.providers)
  return {
    contentType: registry.contentType,
    async text() {
      await readInputs()
      return exposition.text()
    },
    relay,
    probe: probe.report,
    directory,
    account,
    selfCheck,
    rename: probe.rename,
    reloaded: reloadMetrics(registry, clock),
  }
}
