import { type DashboardBuilder, RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard'

import { bars, lines, number, type Query, table } from './panels.ts'
import { hourly } from './queries.ts'
import { addSelfChecks } from './self-checks.ts'

/** What the relay stands on: directory, certificate, disk, its name among others, and the machine. */
export function addGround(dashboard: DashboardBuilder): void {
  addFoundations(dashboard)
  addSelfChecks(dashboard)
  addResources(dashboard)
  addNodes(dashboard)
}

function addFoundations(dashboard: DashboardBuilder): void {
  const one = (
    title: string,
    description: string,
    unit: string,
    expr: string,
    bad: Parameters<typeof number>[3],
  ) => number({ title, description, width: 6 }, unit, { expr, legend: '' }, bad)
  dashboard
    .withRow(new RowBuilder('What it stands on'))
    .withPanel(
      one(
        'Directory',
        'Age of the data that logins are checked with.',
        's',
        'max(mailcanary_directory_age_seconds)',
        {
          at: 86_400,
          when: 'above',
        },
      ),
    )
    .withPanel(
      one('Accounts', 'Accounts that can log in.', 'short', 'min(mailcanary_directory_accounts)', {
        at: 1,
        when: 'below',
      }),
    )
    .withPanel(
      one(
        'Certificate',
        'Until the first of ours expires.',
        's',
        'min(mailcanary_certificate_expiry_seconds)',
        {
          at: 7 * 86_400,
          when: 'below',
        },
      ),
    )
    .withPanel(
      one(
        'Disk',
        'Free for the state folder. Below 1 MiB no mail is taken.',
        'bytes',
        'min(mailcanary_state_free_bytes)',
        {
          at: 2 * 1024 ** 3,
          when: 'below',
        },
      ),
    )
    .withPanel(
      one(
        'Last synchronisation',
        'Since the directory was last read and believed.',
        's',
        'time() - max(mailcanary_directory_last_sync_timestamp_seconds > 0)',
        { at: 86_400, when: 'above' },
      ),
    )
    .withPanel(
      one(
        'It took',
        'How long the last synchronisation of the directory took.',
        's',
        'max(mailcanary_directory_sync_duration_seconds)',
        { at: 60, when: 'above' },
      ),
    )
    .withPanel(
      one(
        'Entries left out',
        'Of the directory, by the last synchronisation: the log says why.',
        'short',
        'max(mailcanary_directory_entries_rejected)',
        // Some accounts are always locked or have expired.
        { at: 1_000, when: 'above' },
      ),
    )
    .withPanel(
      one(
        'Configuration',
        'Whether it was taken when it was read last: 0 is wrong, and the one before stays.',
        'bool_yes_no',
        'min(mailcanary_config_last_reload_successful)',
        { at: 1, when: 'below' },
      ),
    )
    .withPanel(
      bars(
        {
          title: 'Synchronisations of the directory',
          description: 'failed: it could not be read. refused: what it said was not believed.',
          width: 12,
        },
        [{ expr: hourly('mailcanary_directory_syncs_total', 'result'), legend: '{{result}}' }],
      ).interval('1h'),
    )
    .withPanel(
      bars(
        {
          title: 'Faults',
          description:
            'Inside relay and prober, each with a line in the log; numbers that could not be had for a scrape.',
          width: 12,
        },
        [
          { expr: 'sum(increase(mailcanary_relay_faults_total[1h]))', legend: 'relay' },
          { expr: 'sum(increase(mailcanary_probe_faults_total[1h]))', legend: 'prober' },
          {
            expr: 'sum(increase(mailcanary_relay_session_workers_ended_total[1h]))',
            legend: 'threads of sessions that ended',
          },
          {
            expr: hourly('mailcanary_metrics_input_failures_total', 'input'),
            legend: 'scrape: {{input}}',
          },
        ],
      ).interval('1h'),
    )
}

function addNodes(dashboard: DashboardBuilder): void {
  // Of each process, with the version it runs.
  const of = (value: string): string =>
    `max by (instance, version) ((${value}) * on (instance) group_left (version) mailcanary_build_info{job="mailcanary"})`
  dashboard.withPanel(
    table(
      {
        title: 'Nodes',
        description:
          'Each process with its version: how long it runs, its open listeners, whether and when it took its configuration.',
        width: 24,
        height: 6,
      },
      [
        { expr: of('time() - process_start_time_seconds'), legend: 'runs for', unit: 's' },
        { expr: of('mailcanary_relay_listeners'), legend: 'listeners', unit: 'short' },
        {
          expr: of('mailcanary_config_last_reload_successful'),
          legend: 'configuration taken',
          unit: 'bool_yes_no',
          good: 1,
        },
        {
          expr: of('time() - mailcanary_config_last_reload_success_timestamp_seconds'),
          legend: 'taken ago',
          unit: 's',
        },
      ],
    ),
  )
}

function addResources(dashboard: DashboardBuilder): void {
  const panel = (title: string, description: string, unit: string, ...queries: Query[]) =>
    lines({ title, description, width: 6, height: 7 }, unit, queries)
  dashboard
    .withRow(new RowBuilder('Resources'))
    .withPanel(
      panel('Processor', 'Cores in use by the process.', 'short', {
        expr: 'rate(process_cpu_seconds_total{job="mailcanary"}[$__rate_interval])',
        legend: '{{instance}}',
      }),
    )
    .withPanel(
      panel(
        'Memory',
        'Resident, and the heap of JavaScript in use.',
        'bytes',
        {
          expr: 'process_resident_memory_bytes{job="mailcanary"}',
          legend: '{{instance}} resident',
        },
        {
          expr: 'nodejs_heap_size_used_bytes{job="mailcanary"}',
          legend: '{{instance}} heap',
        },
      ),
    )
    .withPanel(
      panel(
        'Event loop',
        'Of 100 turns 99 wait no longer; a whole second is felt by clients.',
        's',
        {
          expr: 'nodejs_eventloop_lag_p99_seconds{job="mailcanary"}',
          legend: '{{instance}} p99',
        },
      ),
    )
    .withPanel(
      panel(
        'Open files',
        'File descriptors, and how many it may have.',
        'short',
        {
          expr: 'process_open_fds{job="mailcanary"}',
          legend: '{{instance}} open',
        },
        {
          expr: 'process_max_fds{job="mailcanary"}',
          legend: '{{instance}} at most',
        },
      ),
    )
}
