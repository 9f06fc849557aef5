import { readFileSync } from 'node:fs'

import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'

import { built, page } from './frame.ts'
import { words } from './panels.ts'

/** The playbook where the graphs are: a panel for each alert, with the words of docs/operating.md. */
export function playbookDashboard(): Dashboard {
  const dashboard = page({
    uid: 'mailcanary-playbook',
    title: 'mailcanary: Playbook',
    description: 'What each alert means and what to do, as in docs/operating.md.',
  })
  for (const { alert, text } of playbook()) {
    const lines = text.split('\n').reduce((sum, line) => sum + 1 + Math.floor(line.length / 150), 0)
    dashboard.withPanel(
      words(
        {
          title: alert,
          description: `What ${alert} means, and what to do.`,
          width: 24,
          height: Math.max(4, Math.ceil(lines * 0.8) + 2),
        },
        text,
      ),
    )
  }
  return built(dashboard)
}

/** The sections of docs/operating.md that are about an alert, in their order. */
export function playbook(): { readonly alert: string; readonly text: string }[] {
  const all = readFileSync(new URL('../docs/operating.md', import.meta.url), 'utf8')
  const [, part = ''] = all.split('\n## When an alert fires\n')
  const [fired = ''] = part.split('\n## ')
  return fired
    .split('\n### ')
    .slice(1)
    .map(section => {
      const [alert = '', ...rest] = section.split('\n')
      return { alert, text: rest.join('\n').trim() }
    })
}
