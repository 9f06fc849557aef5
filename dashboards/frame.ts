import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard'

import { overTime, SOURCE } from './panels.ts'

/** Dashboards with this tag link to each other, and to the playbook. */
const TAG = 'mailcanary'

/** What can be picked at the top of a dashboard, and the metric that knows its values. */
const CHOICES = {
  origin: 'mailcanary_canaries_total',
  provider: 'mailcanary_relay_attempts_total',
  seed: 'mailcanary_seed_up',
} as const

export type Choice = keyof typeof CHOICES

/** A dashboard without panels: title, time, links to its neighbours. */
export function page(text: {
  readonly uid: string
  readonly title: string
  readonly description: string
}): DashboardBuilder {
  return new DashboardBuilder(text.title)
    .uid(text.uid)
    .description(`${text.description} Built by dashboards/build.ts.`)
    .tags([TAG])
    .timezone('browser')
    .time({ from: 'now-24h', to: 'now' })
    .refresh('1m')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder(TAG)
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .includeVars(true)
        .keepTime(true),
    )
}

/** The same over a Prometheus, with variables, and with a mark wherever an alert fired. */
export function graphs(
  text: Parameters<typeof page>[0],
  choices: readonly Choice[],
): DashboardBuilder {
  const dashboard = page(text)
    .withVariable(
      new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'),
    )
    .annotation(
      new AnnotationQueryBuilder()
        .name('alerts')
        .datasource(SOURCE)
        .enable(true)
        .iconColor('orange')
        .target(
          overTime({ expr: 'ALERTS{service="mailcanary",alertstate="firing"}', legend: '' }, 0),
        )
        .titleFormat('{{alertname}}')
        .textFormat('{{origin}} {{provider}} {{seed}}')
        .tagKeys('severity'),
    )
  for (const choice of choices) dashboard.withVariable(pick(choice))
  return dashboard
}

// The builders know them for other kinds of variables, and from older tables.
const UNKNOWN_TO_GRAFANA: ReadonlySet<string> = new Set([
  'auto',
  'auto_min',
  'auto_count',
  'footer',
])

/** The builders leave functions behind, and what Grafana no longer knows; a dashboard is data. */
export function built(dashboard: DashboardBuilder): Dashboard {
  return JSON.parse(
    JSON.stringify(dashboard.build(), (key, value: unknown) =>
      UNKNOWN_TO_GRAFANA.has(key) ? undefined : value,
    ),
  ) as Dashboard
}

function pick(choice: Choice): QueryVariableBuilder {
  return new QueryVariableBuilder(choice)
    .label(choice)
    .datasource(SOURCE)
    .query(`label_values(${CHOICES[choice]}, ${choice})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: ['All'], value: ['$__all'] })
}
