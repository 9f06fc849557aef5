import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'

import { bars, lines, number, onOff } from './panels.ts'
import { AT, hourly, OF } from './queries.ts'

/** What the prober sends, and whether anything keeps it from that. */
export function addProber(dashboard: DashboardBuilder): void {
  dashboard
    .withRow(new RowBuilder('Prober'))
    .withPanel(
      bars(
        {
          title: 'Canaries that origins took',
          description: 'Submissions that were accepted, by origin and hour.',
          width: 12,
        },
        [
          {
            expr: hourly('mailcanary_canaries_submitted_total', 'origin, provider', OF),
            legend: '{{origin}} to {{provider}}',
          },
        ],
      ).interval('1h'),
    )
    .withPanel(
      bars(
        {
          title: 'Ticks without a canary',
          description:
            'Why the schedule sent nothing: overlap, missed, paused, undecided, cap, failed.',
          width: 12,
        },
        [{ expr: hourly('mailcanary_probe_ticks_skipped_total', 'reason'), legend: '{{reason}}' }],
      ).interval('1h'),
    )
    .withPanel(
      lines(
        {
          title: 'Since the last verdict',
          description: 'Time since the last verdict other than unknown, by origin and provider.',
          width: 12,
        },
        's',
        [
          {
            expr: `time() - max by (origin, provider) (mailcanary_last_verdict_timestamp_seconds{${AT}})`,
            legend: '{{origin}} to {{provider}}',
          },
        ],
      ),
    )
    .withPanel(
      onOff(
        {
          title: 'Probes that do not send',
          description:
            'Paused by an operator, or since too many of their canaries have no verdict yet.',
          width: 12,
        },
        ['sends', 'paused'],
        ['green', 'orange'],
        { expr: 'max by (probe, cause) (mailcanary_probe_paused)', legend: '{{probe}}: {{cause}}' },
      ),
    )
    .withPanel(
      bars(
        {
          title: 'Slower than ten minutes',
          description: 'Canaries that arrived in time but took more than ten minutes, by hour.',
          width: 12,
        },
        [
          {
            expr: `sum by (origin, provider) (increase(mailcanary_canary_arrival_seconds_count{${AT}}[1h])) - sum by (origin, provider) (increase(mailcanary_canary_arrival_seconds_bucket{${AT},le=~"600|600.0"}[1h]))`,
            legend: '{{origin}} to {{provider}}',
          },
        ],
      ).interval('1h'),
    )
    .withPanel(
      number(
        {
          title: 'Late',
          description: 'Arrived after they were judged missing.',
          width: 6,
          height: 8,
        },
        'short',
        { expr: 'increase(mailcanary_canaries_late_total[$__range])', legend: '' },
        { at: 1, when: 'above' },
      ),
    )
    .withPanel(
      number(
        {
          title: 'Faults',
          description: 'Inside the prober; the log has a line for each.',
          width: 6,
          height: 8,
        },
        'short',
        { expr: 'increase(mailcanary_probe_faults_total[$__range])', legend: '' },
        { at: 1, when: 'above' },
      ),
    )
}
