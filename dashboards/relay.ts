import {
  type Dashboard,
  type DashboardBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard'

import { built, graphs } from './frame.ts'
import { addGround } from './ground.ts'
import { bars, lines, type PanelText } from './panels.ts'
import { AT, hourly, quantiles } from './queries.ts'

/** What the relay does, and what it stands on. */
export function relayDashboard(): Dashboard {
  const dashboard = graphs(
    {
      uid: 'mailcanary-relay',
      title: 'mailcanary: Relay',
      description:
        'Logins, what was taken, the queue, what became of it by provider, and what the relay stands on.',
    },
    ['provider'],
  )
  addPeople(dashboard)
  addQueue(dashboard)
  addProviders(dashboard)
  addGround(dashboard)
  return built(dashboard)
}

function addPeople(dashboard: DashboardBuilder): void {
  const recent = (metric: string, by: string): string =>
    `sum by (${by}) (increase(${metric}[$__rate_interval]))`
  dashboard
    .withRow(new RowBuilder('People'))
    .withPanel(
      bars(
        {
          title: 'Logins',
          description:
            'unavailable is a fault of ours; many refused ones are somebody who guesses.',
          width: 8,
        },
        [{ expr: recent('mailcanary_relay_logins_total', 'result'), legend: '{{result}}' }],
      ),
    )
    .withPanel(
      bars(
        { title: 'Messages', description: 'What clients were told: 250, 4xx or 5xx.', width: 8 },
        [{ expr: recent('mailcanary_relay_messages_total', 'result'), legend: '{{result}}' }],
      ),
    )
    .withPanel(
      lines(
        { title: 'Octets taken', description: 'Of the messages that were accepted.', width: 8 },
        'Bps',
        [
          {
            expr: 'sum(rate(mailcanary_relay_message_bytes_total[$__rate_interval]))',
            legend: 'accepted',
          },
        ],
      ),
    )
    .withPanel(
      bars(
        {
          title: 'Logins over a limit',
          description:
            'hold: taken and kept back for somebody to look at. defer: told to come later.',
          width: 12,
        },
        [
          {
            expr: hourly('mailcanary_relay_limited_total', 'limit, action'),
            legend: '{{limit}} {{action}}',
          },
        ],
      ).interval('1h'),
    )
    .withPanel(
      bars(
        {
          title: 'The account page',
          description:
            'Sign-ins, changes of passwords, and application passwords made and revoked, by their owners.',
          width: 12,
        },
        [
          {
            expr: hourly('mailcanary_account_sign_ins_total', 'way, result'),
            legend: 'sign-in, {{way}} {{result}}',
          },
          {
            expr: hourly('mailcanary_account_password_changes_total', 'result'),
            legend: 'mail password {{result}}',
          },
          {
            expr: hourly('mailcanary_account_application_passwords_total', 'action'),
            legend: 'application password {{action}}',
          },
        ],
      ).interval('1h'),
    )
}

function addQueue(dashboard: DashboardBuilder): void {
  dashboard
    .withRow(new RowBuilder('Queue'))
    .withPanel(
      lines(
        { title: 'Queue', description: 'Deliveries by what they wait for.', width: 8 },
        'short',
        [{ expr: 'mailcanary_relay_queue_messages', legend: '{{state}}' }],
      ),
    )
    .withPanel(
      lines(
        {
          title: 'Oldest message',
          description: 'Age of the oldest that has not reached its end.',
          width: 8,
        },
        's',
        [{ expr: 'mailcanary_relay_queue_oldest_seconds', legend: 'oldest' }],
      ),
    )
    .withPanel(
      lines(
        {
          title: 'Under way',
          description: 'Deliveries that are attempted at this moment, by provider.',
          width: 8,
        },
        'short',
        [{ expr: `mailcanary_relay_deliveries_running{${AT}}`, legend: '{{provider}}' }],
      ),
    )
}

function addProviders(dashboard: DashboardBuilder): void {
  const byHour = (text: PanelText, metric: string, by: string, legend: string, filter = AT) =>
    bars(text, [{ expr: hourly(metric, by, filter), legend }]).interval('1h')
  dashboard
    .withRow(new RowBuilder('Outcomes by provider'))
    .withPanel(
      byHour(
        {
          title: 'Where recipients ended',
          description: 'Recipients by their end, by hour.',
          width: 12,
        },
        'mailcanary_relay_recipients_total',
        'provider, final',
        '{{provider}} {{final}}',
      ),
    )
    .withPanel(
      byHour(
        {
          title: 'Attempts that failed',
          description:
            'By class of the reply: rate and reputation are about us, mailbox is about the recipient.',
          width: 12,
        },
        'mailcanary_relay_attempts_total',
        'provider, outcome, class',
        '{{provider}} {{outcome}} {{class}}',
        `${AT},outcome!="delivered"`,
      ),
    )
    .withPanel(
      lines(
        {
          title: 'Time to delivery',
          description: 'From acceptance to the provider’s 250, by hour.',
          width: 12,
        },
        's',
        quantiles('mailcanary_relay_delivery_seconds', AT),
      ),
    )
    .withPanel(
      byHour(
        {
          title: 'TLS',
          description: 'Recipients by the TLS they were delivered over; none is clear text.',
          width: 12,
        },
        'mailcanary_relay_delivered_tls_total',
        'provider, tls',
        '{{provider}} {{tls}}',
      ),
    )
    .withPanel(
      lines(
        {
          title: 'Back-off',
          description:
            'Steps below the full allowance since a provider objected: 0 is full pace, 4 one message a minute.',
          width: 8,
        },
        'short',
        [{ expr: `mailcanary_relay_shaping_level{${AT}}`, legend: '{{provider}}' }],
      ).max(4),
    )
    .withPanel(
      lines(
        {
          title: 'Silence',
          description: 'Seconds for which a provider gets no mail, since it asked for that.',
          width: 8,
        },
        's',
        [{ expr: `mailcanary_relay_shaping_paused_seconds{${AT}}`, legend: '{{provider}}' }],
      ),
    )
    .withPanel(
      byHour(
        {
          title: 'Objections',
          description: 'Times a provider objected to our rate or reputation, by hour.',
          width: 8,
        },
        'mailcanary_relay_slowed_down_total',
        'provider',
        '{{provider}}',
      ),
    )
    .withPanel(
      bars(
        {
          title: 'Reports and possible duplicates',
          description:
            'Reports (DSN) queued or undeliverable; deliveries that may be the second of their message.',
          width: 24,
          height: 6,
        },
        [
          {
            expr: hourly('mailcanary_relay_reports_total', 'result'),
            legend: 'reports {{result}}',
          },
          {
            expr: hourly('mailcanary_relay_possible_duplicates_total', 'provider', AT),
            legend: 'twice? {{provider}}',
          },
        ],
      ).interval('1h'),
    )
}
