import { writeFile } from 'node:fs/promises'

import { deliveryDashboard } from './delivery.ts'
import { playbookDashboard } from './playbook.ts'
import { relayDashboard } from './relay.ts'
import { seedsDashboard } from './seeds.ts'

/** The dashboards as they are committed, by file name: `npm run generate` writes them, a test compares them. */
export function dashboardTexts(): ReadonlyMap<string, string> {
  const dashboards = {
    'delivery.json': deliveryDashboard(),
    'relay.json': relayDashboard(),
    'seeds.json': seedsDashboard(),
    'playbook.json': playbookDashboard(),
  }
  return new Map(
    Object.entries(dashboards).map(([name, dashboard]) => [
      name,
      `${JSON.stringify(dashboard, undefined, 2)}\n`,
    ]),
  )
}

if (import.meta.main) {
  for (const [name, text] of dashboardTexts()) {
    await writeFile(new URL(name, import.meta.url), text)
  }
}
