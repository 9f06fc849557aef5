import { writeFile } from 'node:fs/promises'

import { deliveryDashboard } from './delivery.ts'

/** The dashboard as it is committed: `node dashboards/build.ts` writes it, a test compares it. */
export function dashboardText(): string {
  return `${JSON.stringify(deliveryDashboard(), undefined, 2)}\n`
}

if (import.meta.main) {
  await writeFile(new URL('delivery.json', import.meta.url), dashboardText())
}
