import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

import { findProgram, missing } from '../support/server-process.ts'

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly labels: { readonly severity: string }
  readonly annotations: Readonly<Record<string, string>>
}

const file = parse(await readFile('dashboards/alerts.yml', 'utf8')) as {
  groups: { rules: Rule[] }[]
}
const rules = file.groups.flatMap(group => group.rules)

async function promtool(...args: string[]): Promise<string> {
  const run = promisify(execFile)
  const { stdout } = await run(findProgram('promtool') ?? '', args, { cwd: 'dashboards' })
  return stdout
}

describe.each(rules)('the alert $alert', rule => {
  it('says how bad it is, what it is, what to do and where to read on', () => {
    const { summary, description, runbook_url: runbook } = rule.annotations
    expect(rule.labels.severity).toMatch(/^(critical|warning)$/)
    expect(rule.for).toMatch(/^\d+[mh]$/)
    expect(summary).toBeTruthy()
    expect(description).toBeTruthy()
    expect(runbook).toBe(`docs/operating.md#${rule.alert.toLowerCase()}`)
  })

  it('has its section in the playbook', async () => {
    expect(await readFile('docs/operating.md', 'utf8')).toContain(`\n### ${rule.alert}\n`)
  })

  it('says how many canaries a share is of, and takes none that is unknown', () => {
    if (!/ \/ /.test(rule.expr.replaceAll('\n', ' '))) return
    expect(rule.annotations['summary']).toContain('(n = ')
    expect(rule.expr).toContain('verdict!="unknown"')
  })
})

describe.skipIf(missing('promtool'))('the alerts as Prometheus reads them', () => {
  it('are rules without fault', async () => {
    expect(await promtool('check', 'rules', 'alerts.yml')).toContain(
      `SUCCESS: ${rules.length} rules`,
    )
  })

  it('fire when they must, and are silent when they must', async () => {
    expect(await promtool('test', 'rules', 'alerts.test.yml')).toContain('SUCCESS')
  })

  it('are all tested, both ways', async () => {
    const tests = parse(await readFile('dashboards/alerts.test.yml', 'utf8')) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[]
    }
    const checks = tests.tests.flatMap(test => test.alert_rule_test)
    for (const { alert } of rules) {
      const mine = checks.filter(check => check.alertname === alert)
      expect(
        mine.some(check => check.exp_alerts.length > 0),
        `${alert} fires`,
      ).toBe(true)
      expect(
        mine.some(check => check.exp_alerts.length === 0),
        `${alert} is silent`,
      ).toBe(true)
    }
  })
})
