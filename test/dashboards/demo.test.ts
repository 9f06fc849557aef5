import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { playbook } from '../../dashboards/playbook.ts'
import { MINUTE, SECOND } from '../../src/base/clock.ts'
import { createMetrics } from '../../src/observe/metrics.ts'
import { promQueries } from '../docs/documents.ts'
import { startDemoApp, type DemoApp } from '../support/demo-app.ts'
import { anyPortBase } from '../support/ports.ts'
import { postfixNeedsRoot, startPostfix, type Postfix } from '../support/postfix.ts'
import { prometheusAt, type PrometheusClient } from '../support/prometheus.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, missing } from '../support/server-process.ts'
import { DASHBOARDS, panelsOf } from './committed.ts'

const PLAYBOOK = 'https://wiki.example.org/mailcanary'

/** As Grafana would send it. */
function substituted(expr: string): string {
  return expr
    .replaceAll(/\$(?:origin|provider|seed)/g, '.*')
    .replaceAll(/\$__(?:range|rate_interval)/g, '1m')
}

const queries = DASHBOARDS.flatMap(dashboard =>
  panelsOf(dashboard).flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ panel: `${dashboard.title}, ${title}`, expr })),
  ),
)

/*
 * The whole way once: an incident in the demo's script, a real Prometheus that scrapes it, its rules (with windows and
 * for-times divided: dashboards/hurry.ts), a real Alertmanager, and who is told. `npm run monitor` starts the two.
 */
describe.skipIf(missing('prometheus', 'prometheus-alertmanager', 'postfix') ?? postfixNeedsRoot())(
  'an incident of the demo',
  () => {
    let folder: string
    let demo: DemoApp
    let mail: Postfix
    let other: Server
    let monitor: ChildProcess
    let prometheus: PrometheusClient
    let alertmanager: string
    let printed = ''

    const told = (pattern: RegExp): Promise<string> =>
      eventually(() => pattern.exec(printed)?.[0], `${pattern} in:\n${printed}`, 50_000)

    beforeAll(async () => {
      folder = await makeScratch()
      await mkdir(join(folder, 'mail'), { mode: 0o755 })
      ;[demo, mail, other] = await Promise.all([
        startDemoApp(join(folder, 'state'), {
          healthyStart: 6 * SECOND,
          incidents: [
            {
              provider: 'yahoo',
              behaviour: 'refuse',
              what: 'yahoo refuses',
              begins: 0,
              ends: 60 * MINUTE,
            },
          ],
          cycle: 60 * MINUTE,
        }),
        startPostfix(join(folder, 'mail'), {
          domains: ['example.net'],
          hostname: 'mx.example.net',
        }),
        whatNoDemoHas(),
      ])
      // A prober that has just begun is silent.
      await eventually(() => hasVerdicts(demo.adminPort), 'a verdict of each origin', 50_000)
      const base = await anyPortBase()
      prometheus = prometheusAt(`http://127.0.0.1:${9090 + base}`)
      alertmanager = `http://127.0.0.1:${9093 + base}`
      const targets = [`127.0.0.1:${demo.adminPort}`, `127.0.0.1:${portOf(other)}`]
      const options = {
        hurry: '240',
        'port-base': String(base),
        data: join(folder, 'monitor'),
        playbook: PLAYBOOK,
        'mail-to': 'on-call@example.net',
        'mail-by': `${mail.address}:${mail.port}`,
      }
      monitor = spawn(process.execPath, [
        'scripts/monitor.ts',
        ...targets.flatMap(target => ['--target', target]),
        ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
      ])
      for (const stream of [monitor.stdout, monitor.stderr]) {
        stream?.on('data', chunk => {
          printed += String(chunk)
        })
      }
      await told(/Alerts are printed here/)
    })

    afterAll(async () => {
      if (monitor.exitCode === null) {
        const ended = once(monitor, 'exit')
        monitor.kill('SIGINT')
        await ended
      }
      await demo.stop()
      await mail.stop()
      other.close()
      await rm(folder, { recursive: true, force: true })
    })

    it('is told by a webhook, with how many canaries say so and a link to what to do', async () => {
      const line = await told(/CRITICAL MailDeliveryFailing: .* relay to yahoo .*\n.*\n/)
      expect(line).toMatch(/(?:[5-9]\d|100)(?:\.\d+)?% of the canaries .*\(n = \d+\)/)
      expect(line).toContain(`${PLAYBOOK}#maildeliveryfailing`)
    })

    it('is told by mail that has not gone through the relay', async () => {
      const text = await eventually(async () => {
        const messages = (await mail.messages()).map(String)
        return messages.find(message => message.includes('MailDeliveryFailing'))
      }, 'a mail from Alertmanager')
      expect(text).toMatch(/^Subject: .*FIRING.*MailDeliveryFailing/m)
      expect(text.replaceAll('=\n', '')).toContain(`${PLAYBOOK}#maildeliveryfailing`)
      expect(text).not.toContain('relay.example.org')
    })

    it('is not told of a provider that is well', async () => {
      expect(printed).not.toMatch(/MailDeliveryFailing: .* (?:gmail|hotmail)/)
      expect(printed).not.toMatch(
        /ProberSilent|SeedBlind|QueueNotDraining|LoginsUnavailable|DiskLow/,
      )
    })

    it.each(queries)('leaves no panel empty: $panel', async ({ expr }) => {
      const names = await prometheus.metricNames()
      for (const [name] of expr.matchAll(/\b(?:mailcanary|nodejs|process)_\w+/g)) {
        expect(names.has(name), name).toBe(true)
      }
      expect((await prometheus.query(substituted(expr))).length).toBeGreaterThan(0)
    })

    it.each(promQueries())('answers the query of $at: $text', async ({ text: expr }) => {
      const samples = await prometheus.query(expr)
      expect(samples.length).toBeGreaterThan(0)
      for (const { value } of samples) {
        expect(value).toBeGreaterThanOrEqual(0)
        if (expr.includes('/')) expect(value).toBeLessThanOrEqual(1)
      }
    })

    it('is in the shares that operating.md promises, of its provider alone', async () => {
      const arriving = promQueries().find(({ text }) => text.startsWith('# Arriving'))
      const samples = await prometheus.query(arriving?.text ?? '')
      const byProvider = new Map(samples.map(({ labels, value }) => [labels['provider'], value]))
      expect(byProvider.get('yahoo')).toBeLessThan(0.9)
      expect(byProvider.get('gmail')).toBe(1)
      expect(byProvider.get('hotmail')).toBe(1)
    })

    it('is marked in the graphs, and variables have their values', async () => {
      const names = await prometheus.metricNames()
      for (const { annotations, templating } of DASHBOARDS) {
        for (const { target } of annotations.list ?? []) {
          if (target) expect((await prometheus.query(target.expr)).length).toBeGreaterThan(0)
        }
        for (const { query } of templating.list ?? []) {
          const [, metric] = /label_values\((\w+)/.exec(JSON.stringify(query)) ?? []
          if (metric !== undefined) expect(names.has(metric), metric).toBe(true)
        }
      }
    })

    it('is known by no alert that asks for a metric nobody has', async () => {
      const rules = await prometheus.rules()
      const names = await prometheus.metricNames()
      expect(rules.map(({ name }) => name).toSorted()).toEqual(
        playbook()
          .map(({ alert }) => alert)
          .toSorted(),
      )
      for (const { name, query, health, lastError } of rules) {
        expect(health, `${name}: ${lastError}`).toBe('ok')
        for (const [metric] of query.matchAll(/\bmailcanary_\w+/g)) {
          expect(names.has(metric), metric).toBe(true)
        }
      }
    })

    it('ends with the relay: that it is down is told, and the rest is not', async () => {
      const before = printed.length
      other.closeAllConnections()
      other.close()
      await demo.stop()
      const line = await told(/CRITICAL RelayDown: .*\n.*\n/)
      expect(line).toContain(`${PLAYBOOK}#relaydown`)
      const silent = await eventually(async () => {
        const answer = await fetch(`${alertmanager}/api/v2/alerts`)
        const alerts = (await answer.json()) as {
          labels: { alertname: string }
          status: { state: string }
        }[]
        return alerts.find(({ labels }) => labels.alertname === 'ProberSilent')
      }, 'that nothing is measured')
      expect(silent.status.state).toBe('suppressed')
      expect(printed.slice(before)).not.toContain('ProberSilent')
    })
  },
)

async function hasVerdicts(port: number): Promise<true | undefined> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const judged = (origin: string): boolean =>
    new RegExp(`^mailcanary_canaries_total\\{origin="${origin}".* [1-9]`, 'm').test(text)
  return judged('relay') && judged('old-server') ? true : undefined
}

/** A prober whose seed signs in with a token, and a relay that has looked at itself from outside. */
async function whatNoDemoHas(): Promise<Server> {
  const seed = { name: 'outlook-1', provider: 'hotmail', oauth: true }
  const metrics = createMetrics({
    origins: ['relay'],
    providers: [],
    seeds: [seed],
    probes: ['relay/outlook-1'],
    version: '0.1.0',
    clock: Date.now,
    inputs: {},
    blocklists: ['zen.example'],
  })
  const finding = {
    check: 'blocklists',
    about: '192.0.2.1 at zen.example',
    state: 'good',
    detail: 'not listed',
    advice: '',
  } as const
  metrics.selfCheck({
    findings: [finding],
    listings: [{ list: 'zen.example', address: '192.0.2.1', listed: false, finding }],
    clockOffset: -20,
  })
  metrics.probe({ kind: 'seed-up', provider: seed.provider, seed: seed.name, detail: '' })
  metrics.probe({
    kind: 'token-refreshed',
    provider: seed.provider,
    seed: seed.name,
    until: Date.now() + 60 * MINUTE,
  })
  const server = createServer((_, response) => {
    void metrics.text().then(text => {
      response.setHeader('content-type', metrics.contentType)
      response.end(text)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function portOf(server: Server): number {
  const address = server.address()
  return address !== null && typeof address === 'object' ? address.port : 0
}
