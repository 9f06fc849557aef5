import { Gauge, type Registry } from 'prom-client'

import { SECOND, type Clock } from '../../base/clock.ts'
import type { Finding } from '../../base/finding.ts'
import { SELF_CHECKS, type SelfReport } from '../checks/self-check.ts'
import { combinations, gauge } from './instruments.ts'

const STATES: readonly Finding['state'][] = ['good', 'doubtful', 'bad', 'unknown']

/** Metrics of the checks of our own names, addresses and records. `unknown` is nothing good, and nothing bad either. */
export function checkMetrics(
  registry: Registry,
  lists: readonly string[],
  clock: Clock,
): (report: SelfReport) => void {
  const findings = gauge(
    registry,
    'mailcanary_check_findings',
    'What the last look at our own names, addresses and records found, by state. unknown: it could not be looked at.',
    combinations({ check: SELF_CHECKS, state: STATES }),
  )
  // Which addresses there are is known only after a look.
  const listed = new Gauge({
    name: 'mailcanary_blocklist_listed',
    help: 'Whether a list has an address that our mail leaves from: 1 or 0; NaN where the list cannot be asked.',
    labelNames: ['list', 'address'],
    registers: [registry],
  })
  const answers = gauge(
    registry,
    'mailcanary_blocklist_answers',
    'Whether a list answers us and works: 0 where it refuses our name server, is closed or cannot be reached.',
    combinations({ list: lists }),
    NaN,
  )
  const offset = gauge(
    registry,
    'mailcanary_clock_offset_seconds',
    'By how much our clock is behind that of the time server; NaN where that is not known.',
    [{}],
    NaN,
  )
  const last = gauge(
    registry,
    'mailcanary_checks_last_run_timestamp_seconds',
    'When our own names, addresses and records were last looked at; 0 until then.',
  )
  return report => {
    for (const labels of combinations({ check: SELF_CHECKS, state: STATES })) {
      const { check, state } = labels
      const n = report.findings.filter(
        found => found.check === check && found.state === state,
      ).length
      findings.set(labels, n)
    }
    // Addresses may have changed.
    listed.reset()
    for (const { list, address, listed: on } of report.listings) {
      listed.set({ list, address }, on === undefined ? NaN : Number(on))
    }
    for (const list of lists) {
      const said = report.listings.filter(listing => listing.list === list)
      answers.set(
        { list },
        said.length === 0 ? NaN : Number(said.every(({ listed: on }) => on !== undefined)),
      )
    }
    offset.set(report.clockOffset === undefined ? NaN : report.clockOffset / SECOND)
    last.set(clock() / SECOND)
  }
}
