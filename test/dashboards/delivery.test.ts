import { readFile, rm } from 'node:fs/promises'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { dashboardText } from '../../dashboards/build.ts'
import { createHealth } from '../../src/observe/health.ts'
import { createMetrics, type Metrics } from '../../src/observe/metrics.ts'
import { SqliteHistory } from '../../src/probe/sqlite-history.ts'
import { AdminServer } from '../../src/web/admin-server.ts'
import { startPrometheus, type PrometheusServer } from '../support/prometheus.ts'
import {
  ORIGINS,
  PROVIDERS,
  realMailEvents,
  sampleStatus,
  SEEDS,
} from '../support/sample-history.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, missing } from '../support/server-process.ts'

interface Panel {
  readonly title: string
  readonly type: string
  readonly description?: string
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly targets?: readonly { readonly expr: string; readonly refId: string }[]
}
interface Dashboard {
  readonly uid: string
  readonly panels: readonly Panel[]
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: unknown }[]
  }
}

const committed = await readFile('dashboards/delivery.json', 'utf8')
const dashboard = JSON.parse(committed) as Dashboard
const panels = dashboard.panels.filter(panel => panel.type !== 'row')
const queries = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, refId }) => ({ name: `${title} ${refId}`, expr })),
)

/** As Grafana would send it. */
function substituted(expr: string): string {
  return expr
    .replaceAll(/\$(?:origin|provider)/g, '.*')
    .replaceAll(/\$__(?:range|rate_interval)/g, '5m')
}

describe('the dashboard', () => {
  it('is committed as it is built', () => {
    expect(committed).toBe(dashboardText())
  })

  it('has panels that do not overlap and stay within the grid', () => {
    const taken = new Set<string>()
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`), title).toBe(false)
          taken.add(`${x} ${y}`)
        }
      }
    }
  })

  it('says on every panel what is to be seen, and in which unit', () => {
    for (const panel of panels) {
      expect(panel.description, panel.title).toMatch(/\.$/)
      expect(JSON.stringify(panel), panel.title).toMatch(/"unit"/)
    }
  })

  it('shows no share without the number of canaries it is of', () => {
    const shares = panels.filter(panel => panel.targets?.some(({ expr }) => expr.includes(' / ')))
    expect(shares.map(panel => panel.title)).toEqual(['In the inbox'])
    expect(JSON.stringify(shares)).toContain('judged (n)')
  })

  it('keeps unknown out of every denominator', () => {
    for (const { name, expr } of queries) {
      const [, denominator] = expr.split(' / ')
      if (denominator !== undefined) expect(denominator, name).toContain('verdict!="unknown"')
    }
  })
})

describe.skipIf(missing('prometheus'))('the queries, asked of a real Prometheus', () => {
  let folder: string
  let metrics: Metrics
  let admin: AdminServer
  let prometheus: PrometheusServer

  beforeAll(async () => {
    folder = await makeScratch()
    metrics = createMetrics({
      origins: ORIGINS,
      providers: PROVIDERS,
      seeds: SEEDS,
      probes: ['relay/gmail-1'],
      version: '0.1.0',
      clock: Date.now,
      inputs: {
        queue: async () => ({ queued: 2, active: 0, held: 0, oldestAt: Date.now() - 5_000 }),
        directory: () => ({ ageSeconds: 60, accounts: 1_200 }),
        certificateExpiry: () => Date.now() + 864_000_000,
        detector: () => [
          {
            origin: 'relay',
            provider: 'gmail',
            signal: 'arrival',
            evidence: 0.2,
            alarm: false,
            baseline: 0.01,
            canaries: 0,
            failures: 0,
          },
        ],
      },
    })
    admin = new AdminServer({
      host: '127.0.0.1',
      port: 0,
      metrics: async () => ({ contentType: metrics.contentType, text: await metrics.text() }),
      health: createHealth({ alive: [], ready: [] }),
      status: sampleStatus(new SqliteHistory(':memory:'), Date.now),
      trace: async () => undefined,
    })
    await admin.start()
    prometheus = await startPrometheus(folder, `127.0.0.1:${admin.port}`)
    await eventually(
      async () => (await prometheus.query('count_over_time(up[1m]) >= 1')).length > 0 || undefined,
      'a first scrape',
    )
    for (const event of realMailEvents()) metrics.relay(event)
    for (const verdict of ['inbox', 'inbox', 'spam', 'unknown'] as const) {
      metrics.probe({
        kind: 'verdict',
        id: 'c',
        origin: 'relay',
        provider: 'gmail',
        seed: 'gmail-1',
        verdict,
        stage: undefined,
        seconds: verdict === 'unknown' ? undefined : 4,
        auth: verdict === 'unknown' ? undefined : { spf: 'pass', dkim: 'fail', dmarc: 'pass' },
        detail: '',
      })
    }
    await eventually(
      async () =>
        (await prometheus.query('increase(mailcanary_canaries_total{verdict="spam"}[1m]) > 0'))
          .length > 0 || undefined,
      'a scrape after the events',
    )
  })

  afterAll(async () => {
    await prometheus.stop()
    await admin.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it('scrapes the whole registry', async () => {
    expect(await prometheus.query('up')).toMatchObject([{ value: 1 }])
  })

  it.each(queries)('knows every metric of "$name" and finds series', async ({ expr }) => {
    const names = await prometheus.metricNames()
    for (const [name] of expr.matchAll(/\b(?:mailcanary|nodejs|process)_\w+/g)) {
      expect(names.has(name), name).toBe(true)
    }
    expect((await prometheus.query(substituted(expr))).length).toBeGreaterThan(0)
  })

  it('finds the values of its variables', async () => {
    const asked = dashboard.templating.list.map(({ query }) => JSON.stringify(query))
    const names = await prometheus.metricNames()
    for (const query of asked) {
      const [, metric = ''] = /label_values\((\w+)/.exec(query) ?? []
      if (metric !== '') expect(names.has(metric), metric).toBe(true)
    }
  })

  it('leaves what could not be seen out of the share in the inbox', async () => {
    const share = queries.find(({ expr }) => expr.includes('verdict="inbox"'))?.expr ?? ''
    const samples = await prometheus.query(substituted(share))
    const gmail = samples.find(
      ({ labels }) => labels['provider'] === 'gmail' && labels['origin'] === 'relay',
    )
    expect(gmail?.value).toBeCloseTo(2 / 3)
  })

  it('takes its alert rules’ metrics from the registry as well', async () => {
    const rules = await readFile('dashboards/alerts.yml', 'utf8')
    const names = await prometheus.metricNames()
    const used = new Set([...rules.matchAll(/\bmailcanary_\w+/g)].map(([name]) => name))
    expect(used.size).toBeGreaterThan(5)
    for (const name of used) expect(names.has(name), name).toBe(true)
  })
})
