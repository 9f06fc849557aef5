import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard'

import { addCanaries } from './canary-panels.ts'
import { SOURCE } from './panels.ts'
import { addRealMail, addRelay } from './relay-panels.ts'

/** Whether mail arrives: canaries first, the relay's real mail beside them, then what carries both. */
export function deliveryDashboard(): Dashboard {
  const dashboard = new DashboardBuilder('mailcanary: does our mail arrive?')
    .uid('mailcanary-delivery')
    .description(
      'Canaries by provider, the real mail of the same time, and the relay. Built by dashboards/build.ts.',
    )
    .tags(['mailcanary', 'mail'])
    .timezone('browser')
    .time({ from: 'now-24h', to: 'now' })
    .refresh('1m')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(
      new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'),
    )
    .withVariable(choice('origin', 'mailcanary_canaries_total'))
    .withVariable(choice('provider', 'mailcanary_relay_attempts_total'))
  addCanaries(dashboard)
  addRealMail(dashboard)
  addRelay(dashboard)
  // The builders leave functions behind; a dashboard is data.
  return JSON.parse(JSON.stringify(dashboard.build())) as Dashboard
}

function choice(label: string, metric: string): QueryVariableBuilder {
  return new QueryVariableBuilder(label)
    .label(label)
    .datasource(SOURCE)
    .query(`label_values(${metric}, ${label})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: ['All'], value: ['$__all'] })
}
