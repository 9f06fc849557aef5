import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'

import { describe, expect, it } from 'vitest'

import { metricsReference } from '../../scripts/metrics-reference.ts'
import { DAY } from '../../src/base/clock.ts'
import { createMetrics, type Metrics } from '../../src/observe/metrics.ts'
import type { MetricInputs } from '../../src/observe/metrics/inputs.ts'
import type { ProbeEvent } from '../../src/probe/events.ts'
import type { RelayEvent } from '../../src/relay/events.ts'
import { findProgram, missing } from '../support/server-process.ts'

const NOW = Date.UTC(2026, 0, 15, 12)

function metricsWith(inputs: MetricInputs = {}): Metrics {
  return createMetrics({
    origins: ['relay'],
    providers: ['gmail', 'yahoo'],
    seeds: [
      { name: 'gmail-1', provider: 'gmail' },
      { name: 'yahoo-1', provider: 'yahoo' },
    ],
    probes: ['relay/gmail-1'],
    version: '1.2.3',
    clock: () => NOW,
    inputs,
  })
}

const allInputs: MetricInputs = {
  queue: async () => ({ queued: 3, active: 1, held: 0, oldestAt: NOW - 90_000 }),
  directory: () => ({ ageSeconds: 61, accounts: 1_200 }),
  certificateExpiry: () => NOW + 10 * DAY,
  freeSpace: () => 5e9,
}

async function linesOf(metrics: Metrics): Promise<string[]> {
  return (await metrics.text()).split('\n')
}

const verdict: Extract<ProbeEvent, { kind: 'verdict' }> = {
  kind: 'verdict',
  id: 'c1',
  origin: 'relay',
  provider: 'gmail',
  seed: 'gmail-1',
  verdict: 'inbox',
  stage: undefined,
  seconds: 4.2,
  auth: { spf: 'pass', dkim: 'fail', dmarc: 'absent' },
  detail: '',
}

const attempt: Extract<RelayEvent, { kind: 'attempt' }> = {
  kind: 'attempt',
  id: '01HZXAMP0E000001',
  destination: 'example.net',
  provider: 'gmail',
  recipients: 2,
  outcome: 'deferred',
  class: 'rate',
  host: 'mx.example.net',
  tls: 'TLSv1.3',
  reply: '421 4.7.28 slow down',
  possibleDuplicate: false,
}

describe('metrics', () => {
  it('has every series of a closed label set at 0 before anything has happened', async () => {
    const lines = await linesOf(metricsWith(allInputs))
    for (const label of ['inbox', 'spam', 'other', 'missing', 'bounced', 'rejected', 'unknown']) {
      expect(lines).toContain(
        `mailcanary_canaries_total{origin="relay",provider="yahoo",seed="yahoo-1",verdict="${label}"} 0`,
      )
    }
    expect(lines).toContain(
      'mailcanary_canary_arrival_seconds_bucket{le="86400",origin="relay",provider="gmail"} 0',
    )
    expect(lines).toContain('mailcanary_canaries_late_total 0')
    expect(lines).toContain(
      'mailcanary_canary_auth_total{origin="relay",provider="gmail",check="dmarc",result="absent"} 0',
    )
    expect(lines).toContain('mailcanary_seed_up{provider="gmail",seed="gmail-1"} 0')
    expect(lines).toContain('mailcanary_relay_logins_total{result="unavailable"} 0')
    expect(lines).toContain('mailcanary_relay_messages_total{result="deferred"} 0')
    expect(lines).toContain(
      'mailcanary_relay_attempts_total{provider="other",outcome="bounced",class="mailbox"} 0',
    )
    expect(lines).toContain('mailcanary_relay_delivery_seconds_count{provider="other"} 0')
  })

  it('counts a verdict with its arrival time and what the provider found out', async () => {
    const metrics = metricsWith()
    metrics.probe(verdict)
    metrics.probe({ ...verdict, verdict: 'missing', seconds: undefined, auth: undefined })
    const lines = await linesOf(metrics)
    expect(lines).toContain(
      'mailcanary_canaries_total{origin="relay",provider="gmail",seed="gmail-1",verdict="inbox"} 1',
    )
    expect(lines).toContain(
      'mailcanary_canary_arrival_seconds_count{origin="relay",provider="gmail"} 1',
    )
    expect(lines).toContain(
      'mailcanary_canary_auth_total{origin="relay",provider="gmail",check="dkim",result="fail"} 1',
    )
  })

  it('counts a late canary once and leaves its verdict alone', async () => {
    const metrics = metricsWith()
    metrics.probe({ ...verdict, verdict: 'missing', seconds: undefined, auth: undefined })
    const { id, origin, provider, seed } = verdict
    metrics.probe({ kind: 'canary-late', id, origin, provider, seed, seconds: 4_000 })
    const lines = await linesOf(metrics)
    expect(lines).toContain('mailcanary_canaries_late_total 1')
    expect(lines).toContain(
      'mailcanary_canaries_total{origin="relay",provider="gmail",seed="gmail-1",verdict="missing"} 1',
    )
    expect(lines).toContain(
      'mailcanary_canary_arrival_seconds_count{origin="relay",provider="gmail"} 0',
    )
  })

  it('says what the detector knows, from the start', async () => {
    let alarm = false
    const metrics = metricsWith({
      detector: () => [
        {
          origin: 'relay',
          provider: 'gmail',
          signal: 'arrival',
          evidence: alarm ? 1 : 0.2,
          alarm,
          baseline: 0.01,
          canaries: 4,
          failures: 3,
        },
      ],
    })
    const labels = '{origin="relay",provider="gmail",signal="arrival"}'
    expect(await metrics.text()).toContain(`mailcanary_detector_alarm${labels} 0\n`)
    alarm = true
    const text = await metrics.text()
    expect(text).toContain(`mailcanary_detector_alarm${labels} 1\n`)
    expect(text).toContain(`mailcanary_detector_statistic${labels} 1\n`)
    expect(text).toContain(`mailcanary_detector_canaries${labels} 4\n`)
    expect(text).toContain(`mailcanary_detector_failures${labels} 3\n`)
    expect(text).toContain(`mailcanary_detector_baseline_ratio${labels} 0.01\n`)
  })

  it('goes on with other names: what stays keeps its numbers, what is gone is forgotten', async () => {
    const metrics = metricsWith()
    metrics.probe(verdict)
    metrics.probe({ ...verdict, seed: 'yahoo-1', provider: 'yahoo' })
    const one = 'origin="relay",provider="gmail",seed="gmail-1",verdict="inbox"'
    expect(await linesOf(metrics)).toContain(`mailcanary_canaries_total{${one}} 1`)
    metrics.rename({
      origins: ['relay'],
      seeds: [
        { name: 'gmail-1', provider: 'gmail' },
        { name: 'gmail-2', provider: 'gmail', oauth: true, createdAt: NOW },
      ],
      probes: ['relay/gmail-1', 'relay/gmail-2'],
    })
    // The verdict of a canary that was on its way to a seed that is gone.
    metrics.probe({ ...verdict, seed: 'yahoo-1', provider: 'yahoo' })
    const lines = await linesOf(metrics)
    expect(lines).toContain(`mailcanary_canaries_total{${one}} 1`)
    expect(lines).toContain(`mailcanary_canaries_total{${one.replace('gmail-1', 'gmail-2')}} 0`)
    expect(lines).toContain('mailcanary_seed_token_valid{provider="gmail",seed="gmail-2"} 0')
    expect(lines).toContain(
      `mailcanary_seed_created_timestamp_seconds{provider="gmail",seed="gmail-2"} ${NOW / 1_000}`,
    )
    expect(lines.join('\n')).not.toMatch(/mailcanary_(?:canar|seed|probe|last).*yahoo/)
  })

  it('counts skipped ticks by reason, and says which probe does not send', async () => {
    const metrics = metricsWith()
    expect(await metrics.text()).toContain('mailcanary_probe_ticks_skipped_total{reason="cap"} 0\n')
    const probe = 'relay/gmail-1'
    metrics.probe({ kind: 'tick-skipped', probe, reason: 'missed', ticks: 7, detail: '' })
    metrics.probe({ kind: 'probe-standing', probe, paused: true, undecided: false })
    const text = await metrics.text()
    expect(text).toContain('mailcanary_probe_ticks_skipped_total{reason="missed"} 7\n')
    expect(text).toContain(`mailcanary_probe_paused{probe="${probe}",cause="operator"} 1\n`)
    expect(text).toContain(`mailcanary_probe_paused{probe="${probe}",cause="undecided"} 0\n`)
  })

  it('does not take an unknown for a sign that the prober sees', async () => {
    let now = NOW
    const metrics = createMetrics({
      origins: ['relay'],
      providers: [],
      seeds: [{ name: 'gmail-1', provider: 'gmail' }],
      probes: [],
      version: '1',
      clock: () => now,
      inputs: {},
    })
    const name = 'mailcanary_last_verdict_timestamp_seconds{origin="relay",provider="gmail"}'
    now += 60_000
    metrics.probe({ ...verdict, verdict: 'unknown', seconds: undefined, auth: undefined })
    expect(await linesOf(metrics)).toContain(`${name} ${NOW / 1_000}`)
    metrics.probe(verdict)
    expect(await linesOf(metrics)).toContain(`${name} ${NOW / 1_000 + 60}`)
  })

  it('shows whether a seed is signed in, for those that sign in with a token', async () => {
    const metrics = createMetrics({
      origins: ['relay'],
      providers: [],
      seeds: [
        { name: 'gmail-1', provider: 'gmail' },
        { name: 'hotmail-1', provider: 'hotmail', oauth: true, createdAt: 86_400_000 },
      ],
      probes: [],
      version: '1',
      clock: () => NOW,
      inputs: {},
    })
    const seed = { provider: 'hotmail', seed: 'hotmail-1' }
    const valid = 'mailcanary_seed_token_valid{provider="hotmail",seed="hotmail-1"}'
    const failures = (result: string): string =>
      `mailcanary_seed_token_failures_total{provider="hotmail",seed="hotmail-1",result="${result}"}`
    const before = await linesOf(metrics)
    expect(before).toContain(`${valid} 0`)
    expect(before).toContain(`${failures('refused')} 0`)
    expect(before).toContain(
      'mailcanary_seed_created_timestamp_seconds{provider="hotmail",seed="hotmail-1"} 86400',
    )
    expect(before.join('\n')).not.toMatch(/seed_token.*gmail-1|seed_created.*gmail-1/)
    metrics.probe({ kind: 'token-refreshed', ...seed, until: NOW + 3_600_000 })
    metrics.probe({ kind: 'token-failed', ...seed, result: 'unavailable', detail: '' })
    const good = await linesOf(metrics)
    expect(good).toContain(`${valid} 1`)
    expect(good).toContain(`${failures('unavailable')} 1`)
    expect(good).toContain(
      `mailcanary_seed_token_expiry_timestamp_seconds{provider="hotmail",seed="hotmail-1"} ${NOW / 1_000 + 3_600}`,
    )
    metrics.probe({ kind: 'token-failed', ...seed, result: 'refused', detail: '' })
    expect(await linesOf(metrics)).toContain(`${valid} 0`)
  })

  it('has no series of nobody where no seed signs in with a token', async () => {
    const text = await metricsWith().text()
    expect(text).not.toMatch(/^mailcanary_seed_(?:token|created)/m)
    for (const [line] of text.matchAll(/^mailcanary_(?:seed|canar|probe|detector)\w* .*$/gm)) {
      expect(line).toMatch(/^mailcanary_(?:canaries_late|probe_faults)_total 0$/)
    }
  })

  it('tells a message put off from a message refused', async () => {
    const metrics = metricsWith()
    const refused = { kind: 'message-refused', login: 'alice', enhanced: '', reason: '' } as const
    metrics.relay({ ...refused, code: 452 })
    metrics.relay({ ...refused, code: 550 })
    const lines = await linesOf(metrics)
    expect(lines).toContain('mailcanary_relay_messages_total{result="deferred"} 1')
    expect(lines).toContain('mailcanary_relay_messages_total{result="refused"} 1')
  })

  it('counts logins over a limit by limit and by what became of their mail', async () => {
    const metrics = metricsWith()
    const over = { kind: 'login-over-limit', login: 'alice', most: 100, until: NOW } as const
    metrics.relay({ ...over, limit: 'messages_per_hour', action: 'hold' })
    const lines = await linesOf(metrics)
    const name = 'mailcanary_relay_limited_total'
    expect(lines).toContain(`${name}{limit="messages_per_hour",action="hold"} 1`)
    expect(lines).toContain(`${name}{limit="new_recipients_per_day",action="defer"} 0`)
  })

  it('counts a provider that nobody announced as other, so that labels stay a closed set', async () => {
    const metrics = metricsWith()
    metrics.relay({ ...attempt, provider: 'mail.someone.example' })
    const text = await metrics.text()
    expect(text).not.toContain('someone')
    expect(text).toContain(
      'mailcanary_relay_attempts_total{provider="other",outcome="deferred",class="rate"} 1',
    )
  })

  it('counts what was delivered by the TLS of the connection, recipient by recipient', async () => {
    const metrics = metricsWith()
    const delivered = { ...attempt, outcome: 'delivered', class: 'none' } as const
    metrics.relay(delivered)
    metrics.relay({ ...delivered, provider: 'yahoo', tls: '' })
    metrics.relay({ ...delivered, provider: 'yahoo', tls: 'TLSv1.1' })
    metrics.relay(attempt)
    const lines = await linesOf(metrics)
    const name = 'mailcanary_relay_delivered_tls_total'
    expect(lines).toContain(`${name}{provider="gmail",tls="TLSv1.3"} 2`)
    expect(lines).toContain(`${name}{provider="yahoo",tls="none"} 2`)
    expect(lines).toContain(`${name}{provider="yahoo",tls="other"} 2`)
    expect(lines).toContain(`${name}{provider="other",tls="TLSv1.2"} 0`)
  })

  it('shows how mail goes to each provider, and of hosts without a label the slowest', async () => {
    const site = { running: 2, level: 0, pausedUntil: 0, reply: '' }
    const metrics = metricsWith({
      sites: () => [
        { ...site, name: 'gmail', provider: 'gmail', level: 2, connections: 1 },
        { ...site, name: 'mx.example.net', provider: 'other', level: 1 },
        {
          ...site,
          name: 'mx.example.com',
          provider: 'other',
          level: 4,
          pausedUntil: NOW + 90_000,
        },
      ],
    })
    metrics.relay({
      ...site,
      kind: 'slowed-down',
      name: 'mx.example.com',
      provider: 'other',
      level: 4,
    })
    const lines = await linesOf(metrics)
    expect(lines).toContain('mailcanary_relay_shaping_level{provider="gmail"} 2')
    expect(lines).toContain('mailcanary_relay_shaping_level{provider="yahoo"} 0')
    expect(lines).toContain('mailcanary_relay_shaping_level{provider="other"} 4')
    expect(lines).toContain('mailcanary_relay_shaping_paused_seconds{provider="other"} 90')
    expect(lines).toContain('mailcanary_relay_deliveries_running{provider="other"} 4')
    expect(lines).toContain('mailcanary_relay_slowed_down_total{provider="other"} 1')
    expect(lines.join('\n')).not.toContain('example.net')
  })

  it('never has a login, an address or a domain of a recipient as a label', async () => {
    const metrics = metricsWith(allInputs)
    metrics.relay({ kind: 'login', result: 'refused', login: 'alice' })
    metrics.relay(attempt)
    metrics.relay({ kind: 'message-accepted', id: 'x', login: 'alice', size: 9, recipients: 1 })
    expect(await metrics.text()).not.toMatch(/alice|example\.net"(?!,address)/)
  })

  it('has as many series after everything has happened to everybody as before anything has', async () => {
    const seriesOf = async (): Promise<string[]> =>
      (await linesOf(metrics))
        .filter(line => line.startsWith('mailcanary_'))
        .map(line => line.slice(0, line.lastIndexOf(' ')))
    const metrics = metricsWith(allInputs)
    const before = await seriesOf()
    for (let i = 0; i < 500; i += 1) {
      const somebody = `x${i}`
      const who = { origin: somebody, provider: somebody, seed: somebody }
      metrics.relay({ kind: 'login', result: 'refused', login: somebody, cause: somebody })
      metrics.relay({ ...attempt, destination: somebody, provider: somebody, tls: somebody })
      metrics.relay({ ...attempt, outcome: 'delivered', class: 'none', provider: somebody })
      for (const final of ['delivered', 'bounced', 'removed'] as const) {
        metrics.relay({ kind: 'settled', id: somebody, provider: somebody, final, seconds: 1 })
      }
      metrics.relay({ kind: 'relay-fault', part: somebody, cause: somebody })
      // Of a seed, or an origin, that is in the history and no longer in the configuration.
      metrics.probe({ ...verdict, ...who })
      metrics.probe({ kind: 'canary-submitted', id: somebody, queueId: '', ...who })
      metrics.probe({ kind: 'probe-fault', part: somebody, cause: somebody })
    }
    expect(await seriesOf()).toEqual(before)
  })

  it('reads its inputs at every scrape', async () => {
    const lines = await linesOf(metricsWith(allInputs))
    expect(lines).toContain('mailcanary_relay_queue_messages{state="queued"} 3')
    expect(lines).toContain('mailcanary_relay_queue_oldest_seconds 90')
    expect(lines).toContain('mailcanary_directory_age_seconds 61')
    expect(lines).toContain('mailcanary_directory_accounts 1200')
    expect(lines).toContain('mailcanary_certificate_expiry_seconds 864000')
    expect(lines).toContain('mailcanary_state_free_bytes 5000000000')
  })

  it('answers a scrape though an input fails: counts the failure, and claims no number for it', async () => {
    const metrics = metricsWith({ ...allInputs, queue: () => Promise.reject(new Error('disk')) })
    const lines = await linesOf(metrics)
    expect(lines).toContain('mailcanary_metrics_input_failures_total{input="queue"} 1')
    expect(lines).toContain('mailcanary_relay_queue_messages{state="queued"} NaN')
    expect(lines).toContain('mailcanary_relay_queue_oldest_seconds NaN')
    expect(lines).toContain('mailcanary_directory_accounts 1200')
  })

  it('keeps the numbers of two instances apart', async () => {
    const one = metricsWith()
    const other = metricsWith()
    one.relay({ kind: 'relay-fault', part: 'store', cause: 'full' })
    expect(await linesOf(one)).toContain('mailcanary_relay_faults_total 1')
    expect(await linesOf(other)).toContain('mailcanary_relay_faults_total 0')
  })
})

describe('docs/metrics.md', () => {
  it('is what the registry says: npm run generate', async () => {
    expect(await readFile('docs/metrics.md', 'utf8')).toBe(await metricsReference())
  })
})

describe.skipIf(missing('promtool'))('metrics as promtool reads them', () => {
  it('finds nothing to object to', async () => {
    const metrics = metricsWith(allInputs)
    metrics.probe(verdict)
    metrics.relay(attempt)
    const said = execFileSync(findProgram('promtool') ?? '', ['check', 'metrics'], {
      input: await metrics.text(),
      encoding: 'utf8',
    })
    expect(said).toBe('')
  })
})
