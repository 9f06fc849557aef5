import {
  type Dashboard,
  type DashboardBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard'

import { built, graphs } from './frame.ts'
import { bars, lines, number, onOff, table } from './panels.ts'
import { AT, counted, hourly, OF, shareOf } from './queries.ts'

/** Whether the prober can see: its mailboxes, their sign-ins, and what it sends. */
export function seedsDashboard(): Dashboard {
  const dashboard = graphs(
    {
      uid: 'mailcanary-seeds',
      title: 'mailcanary: Seeds and prober',
      description:
        'Whether the prober can see: mailboxes, sign-ins, what is sent, late or skipped.',
    },
    ['provider', 'seed'],
  )
  addMailboxes(dashboard)
  addSignIns(dashboard)
  addProber(dashboard)
  return built(dashboard)
}

function addMailboxes(dashboard: DashboardBuilder): void {
  const of = { by: 'provider, seed', filter: OF }
  dashboard
    .withRow(new RowBuilder('Mailboxes'))
    .withPanel(
      onOff(
        {
          title: 'Mailboxes that can be read',
          description:
            'Readable: the last look read INBOX and junk to their ends. While blind, canaries are unknown, not lost.',
          width: 12,
          height: 9,
        },
        ['blind', 'readable'],
        ['red', 'green'],
        { expr: `min by (seed) (mailcanary_seed_up{${OF}})`, legend: '{{seed}}' },
      ),
    )
    .withPanel(
      table(
        {
          title: 'Seeds',
          description:
            'What became of the canaries to each in the time shown. One seed of a provider that differs from the others is that account’s own trouble.',
          width: 12,
          height: 9,
        },
        [
          {
            expr: `max by (provider, seed) (mailcanary_seed_up{${OF}})`,
            legend: 'readable',
            unit: 'bool_yes_no',
            good: 1,
          },
          {
            expr: shareOf('="inbox"', of),
            legend: 'in the inbox',
            unit: 'percentunit',
            good: 0.9,
            fair: 0.7,
          },
          { expr: counted('!="unknown"', of), legend: 'judged (n)', unit: 'short' },
          { expr: counted('="unknown"', of), legend: 'unknown', unit: 'short', bad: 0.5 },
          {
            expr: `sum by (provider, seed) (increase(mailcanary_canaries_forged_total{${OF}}[$__range]))`,
            legend: 'forged',
            unit: 'short',
            bad: 0.5,
          },
        ],
      ),
    )
    .withPanel(
      bars(
        {
          title: 'Verdicts by seed',
          description: 'The history of each account: verdicts by hour.',
          width: 12,
        },
        [
          {
            expr: hourly('mailcanary_canaries_total', 'seed, verdict', OF),
            legend: '{{seed}} {{verdict}}',
          },
        ],
      ).interval('1h'),
    )
    .withPanel(
      bars(
        {
          title: 'Unknown by seed',
          description: 'Canaries of which nothing is known since their mailbox could not be read.',
          width: 12,
        },
        [
          {
            expr: hourly('mailcanary_canaries_total', 'seed', `${OF},verdict="unknown"`),
            legend: '{{seed}}',
          },
        ],
      ).interval('1h'),
    )
}

function addSignIns(dashboard: DashboardBuilder): void {
  dashboard
    .withRow(new RowBuilder('Sign-ins with OAuth 2 (none where every seed has a password)'))
    .withPanel(
      onOff(
        {
          title: 'Sign-ins',
          description: 'Whether a sign-in is good, or a person has to run mailcanary seed login.',
          width: 8,
        },
        ['needs a person', 'good'],
        ['red', 'green'],
        { expr: `min by (seed) (mailcanary_seed_token_valid{${OF}})`, legend: '{{seed}}' },
      ),
    )
    .withPanel(
      lines(
        {
          title: 'Until the access token ends',
          description: 'It is refreshed before; below 0 that did not work.',
          width: 8,
        },
        's',
        [
          {
            expr: `max by (seed) (mailcanary_seed_token_expiry_timestamp_seconds{${OF}}) - time()`,
            legend: '{{seed}}',
          },
        ],
      ),
    )
    .withPanel(
      bars(
        {
          title: 'Refreshes that failed',
          description: 'refused needs a person; unavailable is tried again by itself.',
          width: 8,
        },
        [
          {
            expr: hourly('mailcanary_seed_token_failures_total', 'seed, result', OF),
            legend: '{{seed}} {{result}}',
          },
        ],
      ).interval('1h'),
    )
    .withPanel(
      lines(
        {
          title: 'Age of the accounts',
          description:
            'Of those whose creation is configured. Providers trust young accounts less.',
          width: 24,
          height: 6,
        },
        's',
        [
          {
            expr: `time() - max by (seed) (mailcanary_seed_created_timestamp_seconds{${OF}})`,
            legend: '{{seed}}',
          },
        ],
      ),
    )
}

function addProber(dashboard: DashboardBuilder): void {
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
            expr: `sum by (origin, provider) (increase(mailcanary_canary_arrival_seconds_count{${AT}}[1h])) - sum by (origin, provider) (increase(mailcanary_canary_arrival_seconds_bucket{${AT},le="600"}[1h]))`,
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
