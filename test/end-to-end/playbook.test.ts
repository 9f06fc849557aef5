import { execFile } from 'node:child_process'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { playbook } from '../../dashboards/playbook.ts'
import { SECOND } from '../../src/base/clock.ts'
import type { CanaryList, CanarySummary } from '../../src/web/browser/status-data.ts'
import { startDemoApp, type DemoApp } from '../support/demo-app.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually } from '../support/server-process.ts'

const PROGRAM = new URL('../../bin/mailcanary', import.meta.url).pathname

// What is in /etc/mailcanary elsewhere is in the demo's state folder.
const COMMAND = `#!/bin/sh
case "$1" in
  probe|report|compare|seed) exec ${PROGRAM} "$@" --probes "$STATE/probes.yaml" ;;
  check) exec ${PROGRAM} "$@" --relay "$STATE/relay.yaml" --probes "$STATE/probes.yaml" ;;
  *) exec ${PROGRAM} "$@" --relay "$STATE/relay.yaml" ;;
esac
`

type Names = Readonly<Record<string, string>>

/*
 * Each incident of the demo, from its alert to its cause, by nothing but the lines that stand in the alert's section of
 * the playbook, typed as they stand there.
 */
describe('whoever is woken by an alert finds the cause', () => {
  let folder: string
  let demo: DemoApp

  /** Types a line of an alert's section, with what the alert says in place of CAPITALS. */
  async function type(alert: string, line: string, names: Names = {}): Promise<string> {
    const section = playbook().find(one => one.alert === alert)?.text
    expect(section, `${alert} has it`).toContain(`\`${line}\``)
    const typed = Object.entries(names).reduce(
      (text, [name, value]) => text.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), value),
      line,
    )
    expect(typed).not.toMatch(/\b[A-Z]{3,}\b/)
    const env = {
      ...process.env,
      A: `http://127.0.0.1:${demo.adminPort}`,
      STATE: join(folder, 'state'),
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
    }
    return new Promise(resolve => {
      execFile('bash', ['-c', typed], { env }, (_, output, complaints) =>
        resolve(output + complaints),
      )
    })
  }

  /** The first canary since the incident began that ended so. */
  function canary(origin: string, provider: string, verdict: string): Promise<CanarySummary> {
    const since = String(Date.now())
    const question = new URLSearchParams({ origin, provider, verdict, since })
    return eventually(
      async () => {
        const answer = await fetch(
          `http://127.0.0.1:${demo.adminPort}/api/canaries?${question.toString()}`,
        )
        return ((await answer.json()) as CanaryList).canaries[0]
      },
      `${verdict} from ${origin} at ${provider}`,
      40 * SECOND,
    )
  }

  beforeAll(async () => {
    folder = await makeScratch()
    await mkdir(join(folder, 'bin'))
    await writeFile(join(folder, 'bin', 'mailcanary'), COMMAND)
    await chmod(join(folder, 'bin', 'mailcanary'), 0o755)
    demo = await startDemoApp(join(folder, 'state'), { healthyStart: Infinity }, 3 * SECOND)
  })

  beforeEach(() => {
    for (const name of ['gmail', 'hotmail', 'yahoo', 'old-server']) demo.world.behave(name, 'inbox')
  })

  afterAll(async () => {
    await demo.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it('a provider files our mail as spam', async () => {
    demo.world.behave('gmail', 'spam')
    await canary('relay', 'gmail', 'spam')
    const names = { PROVIDER: 'gmail', ORIGIN: 'relay', OTHER: 'old-server' }
    const list =
      'curl -s "$A/api/canaries.csv?provider=PROVIDER&origin=ORIGIN&verdict=spam" | head -5'
    expect(await type('MailGoingToSpam', list, names)).toMatch(/,spam,.*,pass,absent,pass\r?\n/)
    const report = await type('MailGoingToSpam', 'mailcanary report --since 7d')
    expect(report).toMatch(/^gmail +relay +/m)
    const compare = 'mailcanary compare --origins relay,OTHER'
    // The first canary of the other origin may still be on its way.
    const compared = async (): Promise<boolean> =>
      /gmail +inbox .*%/.test(await type('MailGoingToSpam', compare, names))
    await eventually(async () => (await compared()) || undefined, 'a comparison of both origins')
  })

  it('a provider defers our mail', async () => {
    demo.world.behave('hotmail', 'defer')
    await canary('relay', 'hotmail', 'missing')
    const names = { PROVIDER: 'hotmail', ORIGIN: 'relay' }
    expect(await type('ProviderThrottlingMail', 'mailcanary queue list')).toMatch(
      /^SLOWED: hotmail: .* since it said: 421 RP-001/m,
    )
    const waiting = 'mailcanary queue list --provider PROVIDER'
    for (const alert of ['ProviderThrottlingMail', 'MailArrivingLate']) {
      expect(await type(alert, waiting, names)).toMatch(/queued +hotmail\.example .*421 RP-001/)
    }
    expect(await type('MailDeliveryFailing', listOf('missing'), names)).toMatch(
      /,missing,.*,queue,/,
    )
  })

  it('a provider takes our mail and loses it', async () => {
    demo.world.behave('yahoo', 'lose')
    const { queueId } = await canary('relay', 'yahoo', 'missing')
    const names = { PROVIDER: 'yahoo', ORIGIN: 'relay', 'QUEUE-ID': queueId }
    expect(await type('MailDeliveryFailing', listOf('missing'), names)).toMatch(
      /,missing,.*,provider-accepted,/,
    )
    expect(await type('MailDeliveryFailing', 'mailcanary trace QUEUE-ID', names)).toMatch(
      /taken by mx1\.yahoo\.example over TLSv1\.3: 250 ok/,
    )
  })

  it('a provider refuses our mail', async () => {
    demo.world.behave('yahoo', 'refuse')
    const { queueId } = await canary('relay', 'yahoo', 'bounced')
    const names = { PROVIDER: 'yahoo', ORIGIN: 'relay', 'QUEUE-ID': queueId }
    const list = listOf('missing')
    expect(await type('MailDeliveryFailing', list, { ...names, missing: 'bounced' })).toMatch(
      /,bounced,.*,provider-refused,.*553 .*TSS09/,
    )
    expect(await type('MailDeliveryFailing', 'mailcanary trace QUEUE-ID', names)).toMatch(
      /refused.*mx1\.yahoo\.example.*553 .*TSS09/,
    )
  })

  it('another origin refuses to relay, or does not answer', async () => {
    const names = { PROVIDER: 'gmail', missing: 'rejected' }
    const again = 'mailcanary probe ORIGIN/SEED'
    demo.world.behave('old-server', 'refuse')
    await canary('old-server', 'gmail', 'rejected')
    const list = await type('MailDeliveryFailing', listOf('missing'), {
      ...names,
      ORIGIN: 'old-server',
    })
    expect(list).toMatch(/,rejected,.*refused: 554 .*Relay access denied/)
    const probe = { ORIGIN: 'old-server', SEED: 'gmail' }
    expect(await type('MailDeliveryFailing', again, probe)).toContain('Relay access denied')
    demo.world.behave('old-server', 'unreachable')
    expect(await type('MailDeliveryFailing', again, probe)).toMatch(/unreachable/)
  })

  it('a mailbox cannot be read', async () => {
    demo.world.behave('hotmail', 'unreadable')
    const names = { SEED: 'hotmail' }
    expect(await type('SeedBlind', 'mailcanary seed check SEED', names)).toMatch(
      /^hotmail: CANNOT BE READ: NO \[UNAVAILABLE\]/m,
    )
    demo.world.behave('hotmail', 'inbox')
    expect(await type('SeedBlind', 'mailcanary seed check SEED', names)).toMatch(
      /^hotmail: can be read/m,
    )
  })

  it('nobody sends canaries any more', async () => {
    const names = { PROBE: 'relay/gmail' }
    await type('ProberSilent', 'mailcanary probe list')
    expect(await type('ProberSilent', 'curl -s $A/readyz')).toContain('ok')
    expect(await type('ProbePaused', 'mailcanary probe resume PROBE', names)).toMatch(
      /relay\/gmail/,
    )
    expect(await type('ProberSilent', 'mailcanary probe --all')).toMatch(/old-server\/yahoo/)
  })
})

function listOf(verdict: string): string {
  return `curl -s "$A/api/canaries.csv?provider=PROVIDER&origin=ORIGIN&verdict=${verdict}" | head -5`
}
