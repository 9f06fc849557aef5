import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'

import { bars, lines, number } from './panels.ts'
import { AT, quantiles } from './queries.ts'

/** The outcome of real mail, beside the canaries of the same time. */
export function addRealMail(dashboard: DashboardBuilder): void {
  dashboard
    .withRow(new RowBuilder('Real mail of the relay'))
    .withPanel(
      bars(
        {
          title: 'Where recipients ended',
          description: 'Everything the relay sent, canaries among it, by hour.',
          width: 12,
        },
        [
          {
            expr: `sum by (provider, final) (increase(mailcanary_relay_recipients_total{${AT}}[1h]))`,
            legend: '{{provider}} {{final}}',
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
          width: 12,
        },
        [
          {
            expr: `sum by (provider, outcome, class) (increase(mailcanary_relay_attempts_total{${AT},outcome!="delivered"}[1h]))`,
            legend: '{{provider}} {{outcome}} {{class}}',
          },
        ],
      ).interval('1h'),
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
      lines(
        { title: 'Queue', description: 'Deliveries by what they wait for.', width: 6 },
        'short',
        [{ expr: 'mailcanary_relay_queue_messages', legend: '{{state}}' }],
      ),
    )
    .withPanel(
      lines(
        { title: 'Oldest message', description: 'Age of the oldest in the queue.', width: 6 },
        's',
        [{ expr: 'mailcanary_relay_queue_oldest_seconds', legend: 'oldest' }],
      ),
    )
}

/** What the relay itself stands on: logins, directory, certificate, reputation. */
export function addRelay(dashboard: DashboardBuilder): void {
  dashboard
    .withRow(new RowBuilder('The relay itself'))
    .withPanel(
      bars({ title: 'Logins', description: 'unavailable is a fault of ours.', width: 8 }, [
        {
          expr: 'sum by (result) (increase(mailcanary_relay_logins_total[$__rate_interval]))',
          legend: '{{result}}',
        },
      ]),
    )
    .withPanel(
      bars({ title: 'Messages', description: 'What clients were told.', width: 8 }, [
        {
          expr: 'sum by (result) (increase(mailcanary_relay_messages_total[$__rate_interval]))',
          legend: '{{result}}',
        },
      ]),
    )
    .withPanel(
      lines(
        { title: 'Event loop', description: '99 of 100 turns wait no longer.', width: 8 },
        's',
        [{ expr: 'nodejs_eventloop_lag_p99_seconds', legend: 'p99' }],
      ),
    )
    .withPanel(
      number(
        {
          title: 'Directory',
          description: 'Age of the data that logins are checked with.',
          width: 6,
        },
        's',
        { expr: 'mailcanary_directory_age_seconds', legend: '' },
        { at: 86_400, when: 'above' },
      ),
    )
    .withPanel(
      number(
        { title: 'Accounts', description: 'Accounts that can log in.', width: 9 },
        'short',
        { expr: 'mailcanary_directory_accounts', legend: '' },
        { at: 1, when: 'below' },
      ),
    )
    .withPanel(
      number(
        { title: 'Certificate', description: 'Until the first of ours expires.', width: 9 },
        's',
        { expr: 'mailcanary_certificate_expiry_seconds', legend: '' },
        { at: 7 * 86_400, when: 'below' },
      ),
    )
}
