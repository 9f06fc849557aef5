import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

import { hurriedRules } from '../../dashboards/hurry.ts'
import { findProgram, missing } from '../support/server-process.ts'

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly labels: { readonly severity: string; readonly service: string }
  readonly annotations: Readonly<Record<string, string>>
}

interface TestFile {
  readonly tests: readonly {
    readonly alert_rule_test?: readonly {
      readonly alertname: string
      readonly exp_alerts: readonly unknown[]
    }[]
  }[]
}

const TESTS = [
  'alerts.test.yml',
  'alerts-by-hour.test.yml',
  'alerts-by-day.test.yml',
  'alerts-edges.test.yml',
  'alerts-windows.test.yml',
]

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
    expect(rule.labels.service).toBe('mailcanary')
    expect(runbook).toBe(
      `{{ or $externalLabels.playbook "docs/operating.md" }}#${rule.alert.toLowerCase()}`,
    )
  })

  it('has its section in the playbook', async () => {
    expect(await readFile('docs/operating.md', 'utf8')).toContain(`\n### ${rule.alert}\n`)
  })

  it('says how many a share is of, and takes no canary that is unknown', () => {
    const expr = rule.expr.replaceAll('\n', ' ')
    if (!/ \/ /.test(expr)) return
    expect(rule.annotations['summary']).toContain('(n = ')
    if (expr.includes('mailcanary_canaries_total')) expect(expr).toContain('verdict!="unknown"')
  })
})

describe.skipIf(missing('promtool'))('the alerts as Prometheus reads them', () => {
  it('are rules without fault', async () => {
    expect(await promtool('check', 'rules', 'alerts.yml')).toContain(
      `SUCCESS: ${rules.length} rules`,
    )
  })

  it('fire when they must, and are silent when they must', async () => {
    expect(await promtool('test', 'rules', ...TESTS)).toContain('SUCCESS')
  })

  it('are all tested, both ways', async () => {
    const files = await Promise.all(TESTS.map(name => readFile(`dashboards/${name}`, 'utf8')))
    const checks = files
      .flatMap(text => (parse(text) as TestFile).tests)
      .flatMap(test => test.alert_rule_test ?? [])
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

describe.skipIf(missing('amtool', 'promtool'))('the files that go with them', () => {
  const run = promisify(execFile)

  it('are configurations of Alertmanager and Prometheus', async () => {
    const { stdout } = await run(findProgram('amtool') ?? '', [
      'check-config',
      'dashboards/alertmanager.yml',
    ])
    expect(stdout).toContain('SUCCESS')
    expect(await promtool('check', 'config', 'prometheus.yml')).toContain(
      `SUCCESS: ${rules.length} rules`,
    )
  })

  it('name no alert that there is none of', async () => {
    const text = await readFile('dashboards/alertmanager.yml', 'utf8')
    const known = new Set(rules.map(({ alert }) => alert))
    const named = [...text.matchAll(/alertname!?=~?"([^"]+)"/g)].flatMap(([, names = '']) =>
      names.split('|'),
    )
    expect(named.length).toBeGreaterThan(5)
    expect(named.filter(name => !known.has(name))).toEqual([])
  })
})

describe('rules for where time is short', () => {
  it('differ in windows and for-times, and in nothing else', async () => {
    const rule = {
      text: 'for: 30m\nexpr: a[2h] > 2 * (a offset 1h) and b[5m] > 4 * 3600',
      hurried: 'for: 18000ms\nexpr: a[72000ms] > 2 * (a offset 36000ms) and b[10000ms] > 4 * 3600',
    }
    expect(hurriedRules(rule.text, 100)).toBe(rule.hurried)
    const all = await readFile('dashboards/alerts.yml', 'utf8')
    const plain = (text: string): string => text.replaceAll(/\b\d+(?:ms|[mhd])\b/g, 'T')
    expect(plain(hurriedRules(all, 100))).toBe(plain(all))
  })
})
