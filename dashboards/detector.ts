import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'

import { lines, table } from './panels.ts'
import { WHO } from './queries.ts'

/** What the detector goes by: how much speaks for more failures than usual, and of how many canaries. */
export function addDetector(dashboard: DashboardBuilder): void {
  dashboard
    .withRow(new RowBuilder('More failures than usual?'))
    .withPanel(
      lines(
        {
          title: 'Evidence of the detector',
          description: 'How much speaks for more failures than usual; at 1 it is an alarm.',
          width: 12,
        },
        'short',
        [
          {
            expr: `max by (origin, provider, signal) (mailcanary_detector_statistic{${WHO}})`,
            legend: '{{origin}} to {{provider}}: {{signal}}',
          },
        ],
      ).max(1.2),
    )
    .withPanel(
      table(
        {
          title: 'What the detector goes by',
          description:
            'Of the canaries since the evidence began to grow: how many there were (n), how many failed, and how many of a hundred usually do.',
          width: 12,
        },
        [
          { expr: detected('alarm'), legend: 'alarm', unit: 'bool_yes_no', bad: 1 },
          { expr: detected('statistic'), legend: 'evidence', unit: 'short', decimals: 2 },
          { expr: detected('failures'), legend: 'failed', unit: 'short' },
          { expr: detected('canaries'), legend: 'of (n)', unit: 'short' },
          {
            expr: detected('baseline_ratio'),
            legend: 'usually',
            unit: 'percentunit',
            decimals: 1,
          },
        ],
      ),
    )
}

function detected(what: string): string {
  return `max by (origin, provider, signal) (mailcanary_detector_${what}{${WHO}})`
}
