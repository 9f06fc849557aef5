import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'

import { lines, number, onOff, table } from './panels.ts'

/** What the relay finds when it looks at itself as others see it, every hour (`checks` in relay.yaml). */
export function addSelfChecks(dashboard: DashboardBuilder): void {
  const found = (state: string) => `max by (check) (mailcanary_check_findings{state="${state}"})`
  dashboard
    .withRow(new RowBuilder('How others see us (nothing where checks are off in relay.yaml)'))
    .withPanel(
      onOff(
        {
          title: 'Our addresses on blocklists',
          description:
            'A gap is a list that could not be asked. What to do: Blocklisted in the playbook, mailcanary check --live.',
          width: 12,
        },
        ['not listed', 'listed'],
        ['green', 'red'],
        {
          expr: 'max by (address, list) (mailcanary_blocklist_listed)',
          legend: '{{address}} at {{list}}',
        },
      ),
    )
    .withPanel(
      onOff(
        {
          title: 'Blocklists that answer us',
          description:
            'One that refuses our name server, or is closed, says nothing of our addresses, good or bad.',
          width: 12,
        },
        ['no answer', 'answers'],
        ['orange', 'green'],
        { expr: 'min by (list) (mailcanary_blocklist_answers)', legend: '{{list}}' },
      ),
    )
    .withPanel(
      table(
        {
          title: 'Findings',
          description:
            'Of the last look at our names, addresses, records, certificate, port 25 and clock. mailcanary check --live says which, and what to do.',
          width: 12,
        },
        [
          { expr: found('bad'), legend: 'bad', unit: 'short', bad: 1 },
          { expr: found('doubtful'), legend: 'doubtful', unit: 'short' },
          { expr: found('unknown'), legend: 'not known', unit: 'short' },
          { expr: found('good'), legend: 'good', unit: 'short' },
        ],
      ),
    )
    .withPanel(
      lines(
        {
          title: 'Clock',
          description:
            'How far it is from that of the time server, either way. Beyond a minute signatures, certificates and verdicts suffer.',
          width: 6,
        },
        's',
        [{ expr: 'abs(mailcanary_clock_offset_seconds)', legend: '{{instance}}' }],
      ),
    )
    .withPanel(
      number(
        {
          title: 'Last look',
          description: 'Since we last looked at ourselves; every hour, unless configured.',
          width: 6,
          height: 8,
        },
        's',
        {
          expr: 'time() - min(mailcanary_checks_last_run_timestamp_seconds > 0)',
          legend: '',
        },
        { at: 3 * 3_600, when: 'above' },
      ),
    )
}
