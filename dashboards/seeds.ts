import {
  type Dashboard,
  type DashboardBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard'

import { built, graphs } from './frame.ts'
import { bars, lines, onOff, table } from './panels.ts'
import { addProber } from './prober.ts'
import { counted, hourly, OF, shareOf } from './queries.ts'

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
