import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'

import { bars, lines, number, table, VERDICT_COLOURS } from './panels.ts'
import { AT, counted, quantiles, shareOf, WHO } from './queries.ts'

/** What became of canaries, and whether the prober can see. */
export function addCanaries(dashboard: DashboardBuilder): void {
  const verdicts = bars(
    {
      title: 'Verdicts',
      description: 'Canaries by verdict and hour. unknown: a mailbox could not be read.',
      width: 12,
      height: 9,
    },
    [
      {
        expr: `sum by (verdict) (increase(mailcanary_canaries_total{${WHO}}[1h]))`,
        legend: '{{verdict}}',
      },
    ],
  ).interval('1h')
  for (const [verdict, fixedColor] of Object.entries(VERDICT_COLOURS)) {
    verdicts.overrideByName(verdict, [{ id: 'color', value: { mode: 'fixed', fixedColor } }])
  }
  dashboard
    .withRow(new RowBuilder('Canaries'))
    .withPanel(
      table(
        {
          title: 'In the inbox',
          description: 'Shares of the canaries judged in the time shown, with how many those were.',
          width: 12,
          height: 9,
        },
        [
          { expr: shareOf('="inbox"'), legend: 'in the inbox', unit: 'percentunit' },
          { expr: shareOf('=~"inbox|spam|other"'), legend: 'arrived', unit: 'percentunit' },
          { expr: counted('!="unknown"'), legend: 'judged (n)', unit: 'short' },
          { expr: counted('="unknown"'), legend: 'unknown', unit: 'short' },
        ],
      ),
    )
    .withPanel(verdicts)
    .withPanel(
      lines(
        {
          title: 'Arrival time',
          description: 'From submission to arrival, of the canaries that arrived in time; by hour.',
          width: 12,
        },
        's',
        quantiles('mailcanary_canary_arrival_seconds', WHO),
      ),
    )
    .withPanel(
      bars(
        {
          title: 'Checks that did not pass',
          description: 'SPF, DKIM and DMARC of canaries that arrived, as their provider saw them.',
          width: 12,
        },
        [
          {
            expr: `sum by (provider, check, result) (increase(mailcanary_canary_auth_total{${AT},result!~"pass|absent"}[1h]))`,
            legend: '{{provider}} {{check}} {{result}}',
          },
        ],
      ).interval('1h'),
    )
    .withPanel(
      lines(
        {
          title: 'Seeds that can be read',
          description:
            '1: the last look read INBOX and junk to their ends. 0: blind, or not yet read.',
          width: 12,
          height: 6,
        },
        'short',
        [{ expr: `mailcanary_seed_up{${AT}}`, legend: '{{seed}}' }],
      )
        .max(1)
        .decimals(0),
    )
    .withPanel(
      number(
        {
          title: 'Late',
          description: 'Arrived after they were judged missing.',
          width: 6,
          height: 6,
        },
        'short',
        { expr: 'increase(mailcanary_canaries_late_total[$__range])', legend: '' },
        { at: 1, when: 'above' },
      ),
    )
    .withPanel(
      number(
        {
          title: 'Last verdict',
          description: 'Time since the last verdict other than unknown.',
          width: 6,
          height: 6,
        },
        's',
        {
          expr: `time() - max(mailcanary_last_verdict_timestamp_seconds{${WHO}})`,
          legend: '',
        },
        { at: 7_200, when: 'above' },
      ),
    )
}
