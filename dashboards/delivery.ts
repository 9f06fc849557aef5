import {
  type Dashboard,
  type DashboardBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard'

import { addDetector } from './detector.ts'
import { built, graphs } from './frame.ts'
import { bars, heat, lines, number, onOff, type Query, table, VERDICT_COLOURS } from './panels.ts'
import { AT, counted, hourly, quantiles, shareOf, WHO, wilson } from './queries.ts'

const ARRIVED = '=~"inbox|spam|other"'
const NOW = { over: '2h' }
const HOUR = { over: '1h' }

/** Whether mail arrives: every origin at every provider, now and before, and the real mail of the same time. */
export function deliveryDashboard(): Dashboard {
  const dashboard = graphs(
    {
      uid: 'mailcanary-delivery',
      title: 'mailcanary: Delivery',
      description:
        'Does our mail arrive? Canaries by origin and provider, and the real mail of the same time.',
    },
    ['origin', 'provider'],
  )
  addNow(dashboard)
  addCanaries(dashboard)
  addDetector(dashboard)
  addRealMail(dashboard)
  addReasons(dashboard)
  return built(dashboard)
}

function addNow(dashboard: DashboardBuilder): void {
  dashboard
    .withRow(new RowBuilder('Now'))
    .withPanel(
      table(
        {
          title: 'Every origin at every provider, the last two hours',
          description:
            'Shares of the canaries judged in two hours, and how many those were. unknown: a mailbox could not be read; they are in no share.',
          width: 16,
          height: 9,
        },
        [
          {
            expr: shareOf('="inbox"', NOW),
            legend: 'in the inbox',
            unit: 'percentunit',
            good: 0.9,
            fair: 0.7,
          },
          {
            expr: shareOf(ARRIVED, NOW),
            legend: 'arrived',
            unit: 'percentunit',
            good: 0.95,
            fair: 0.5,
          },
          { expr: counted('!="unknown"', NOW), legend: 'judged (n)', unit: 'short' },
          { expr: counted('="unknown"', NOW), legend: 'unknown', unit: 'short', bad: 0.5 },
          {
            expr: `time() - max by (origin, provider) (mailcanary_last_verdict_timestamp_seconds{${WHO}})`,
            legend: 'last verdict',
            unit: 's',
            bad: 7_200,
          },
        ],
      ),
    )
    .withPanel(
      onOff(
        {
          title: 'Alarms of the detector',
          description:
            'Where more canaries fail than is usual there (docs/statistics.md), by what fails.',
          width: 8,
          height: 9,
        },
        ['as usual', 'alarm'],
        ['green', 'red'],
        {
          expr: `max by (origin, provider, signal) (mailcanary_detector_alarm{${WHO}})`,
          legend: '{{origin}} to {{provider}}: {{signal}}',
        },
      ),
    )
}

function addCanaries(dashboard: DashboardBuilder): void {
  const verdicts = bars(
    {
      title: 'Placement',
      description: 'Canaries by verdict and hour. unknown: a mailbox could not be read.',
      width: 12,
    },
    [{ expr: hourly('mailcanary_canaries_total', 'verdict', WHO), legend: '{{verdict}}' }],
  ).interval('1h')
  for (const [verdict, fixedColor] of Object.entries(VERDICT_COLOURS)) {
    verdicts.overrideByName(verdict, [{ id: 'color', value: { mode: 'fixed', fixedColor } }])
  }
  dashboard
    .withRow(new RowBuilder('Canaries over time'))
    .withPanel(rate('Arrived', ARRIVED, 'Share of the canaries that arrived in whatever folder'))
    .withPanel(rate('In the inbox', '="inbox"', 'Share of the canaries that arrived in the inbox'))
    .withPanel(verdicts)
    .withPanel(
      heat(
        {
          title: 'Arrival times',
          description: 'How many canaries arrived how long after their submission: darker is more.',
          width: 12,
        },
        's',
        `sum by (le) (increase(mailcanary_canary_arrival_seconds_bucket{${WHO}}[$__rate_interval]))`,
      ),
    )
    .withPanel(
      lines(
        {
          title: 'Arrival time by provider',
          description: 'From submission to arrival, of the canaries that arrived in time; by hour.',
          width: 12,
        },
        's',
        quantiles('mailcanary_canary_arrival_seconds', WHO, 'origin, provider'),
      ),
    )
}

/** A share by origin, with its interval in thin lines and how many canaries it is of; one panel a provider. */
function rate(title: string, verdicts: string, what: string) {
  const by = { ...HOUR, by: 'origin, provider' }
  const queries: Query[] = [
    { expr: shareOf(verdicts, by), legend: '{{origin}} to {{provider}}' },
    { expr: wilson(verdicts, 'low', by), legend: '{{origin}} to {{provider}}, at least' },
    { expr: wilson(verdicts, 'high', by), legend: '{{origin}} to {{provider}}, at most' },
    { expr: counted('!="unknown"', by), legend: '{{origin}} to {{provider}}: judged (n)' },
  ]
  return lines(
    {
      title: `${title}: $provider`,
      description: `${what}, by hour; thin lines are its 95 % interval (Wilson), dots how many were judged (n, right axis).`,
      width: 24,
      height: 7,
    },
    'percentunit',
    queries,
  )
    .max(1)
    .repeat('provider')
    .maxPerRow(3)
    .overrideByRegexp('/at (least|most)$/', [
      { id: 'custom.lineWidth', value: 1 },
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [4, 4] } },
    ])
    .overrideByRegexp('/judged \\(n\\)$/', [
      { id: 'unit', value: 'short' },
      { id: 'custom.axisPlacement', value: 'right' },
      { id: 'custom.drawStyle', value: 'points' },
      { id: 'max', value: null },
    ])
}

/** The outcome of real mail, beside the canaries of the same time. */
function addRealMail(dashboard: DashboardBuilder): void {
  const ended = hourly('mailcanary_relay_recipients_total', 'provider', `${AT},final!="removed"`)
  dashboard
    .withRow(new RowBuilder('Real mail beside canaries'))
    .withPanel(
      lines(
        {
          title: 'Accepted by the provider: real mail and canaries',
          description:
            'Share of the recipients of all mail that the provider took, and of the canaries that it took and showed us. Where real mail is taken and canaries vanish, it is taken and hidden. With how many each is of (n, right axis).',
          width: 12,
        },
        'percentunit',
        [
          {
            expr: `${hourly('mailcanary_relay_recipients_total', 'provider', `${AT},final="delivered"`)} / ${ended}`,
            legend: '{{provider}}: real mail taken',
          },
          { expr: ended, legend: '{{provider}}: real mail (n)' },
          {
            expr: shareOf(ARRIVED, { ...HOUR, by: 'provider' }),
            legend: '{{provider}}: canaries seen',
          },
          {
            expr: counted('!="unknown"', { ...HOUR, by: 'provider' }),
            legend: '{{provider}}: canaries (n)',
          },
        ],
      )
        .max(1)
        .overrideByRegexp('/\\(n\\)$/', [
          { id: 'unit', value: 'short' },
          { id: 'custom.axisPlacement', value: 'right' },
          { id: 'custom.drawStyle', value: 'points' },
          { id: 'max', value: null },
        ]),
    )
    .withPanel(
      bars(
        {
          title: 'Where recipients ended',
          description: 'Everything the relay sent, canaries among it, by hour.',
          width: 12,
        },
        [
          {
            expr: hourly('mailcanary_relay_recipients_total', 'provider, final', AT),
            legend: '{{provider}} {{final}}',
          },
        ],
      ).interval('1h'),
    )
}

function addReasons(dashboard: DashboardBuilder): void {
  const by = 'origin, provider, check'
  const checks = (filter: string): string =>
    `sum by (${by}) (increase(mailcanary_canary_auth_total{${WHO}${filter}}[$__range]))`
  dashboard
    .withRow(new RowBuilder('What providers find'))
    .withPanel(
      table(
        {
          title: 'Authentication',
          description:
            'SPF, DKIM and DMARC as providers wrote them into canaries: how many passed, how many did not hold, and how many they are of. absent: the provider says nothing.',
          width: 12,
        },
        [
          { expr: checks(',result="pass"'), legend: 'pass', unit: 'short' },
          {
            expr: checks(',result=~"fail|softfail|permerror|policy"'),
            legend: 'does not hold',
            unit: 'short',
            bad: 0.5,
          },
          { expr: checks(',result="absent"'), legend: 'absent', unit: 'short' },
          { expr: checks(''), legend: 'arrived (n)', unit: 'short' },
        ],
      ),
    )
    .withPanel(
      bars(
        {
          title: 'Checks that did not pass',
          description:
            'The same by hour: SPF, DKIM and DMARC of canaries that arrived, but for pass and absent.',
          width: 12,
        },
        [
          {
            expr: hourly(
              'mailcanary_canary_auth_total',
              'provider, check, result',
              `${WHO},result!~"pass|absent"`,
            ),
            legend: '{{provider}} {{check}} {{result}}',
          },
        ],
      ).interval('1h'),
    )
    .withPanel(
      bars(
        {
          title: 'Why attempts failed',
          description:
            'Deferrals and bounces by class of the reply. mailbox is the recipient’s affair.',
          width: 18,
        },
        [
          {
            expr: hourly(
              'mailcanary_relay_attempts_total',
              'provider, outcome, class',
              `${AT},outcome!="delivered"`,
            ),
            legend: '{{provider}} {{outcome}} {{class}}',
          },
        ],
      ).interval('1h'),
    )
    .withPanel(
      number(
        {
          title: 'Late',
          description: 'Canaries that arrived after they were judged missing.',
          width: 6,
          height: 8,
        },
        'short',
        { expr: 'increase(mailcanary_canaries_late_total[$__range])', legend: '' },
        { at: 1, when: 'above' },
      ),
    )
}
