import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { cycles } from '../support/cycles.ts'
import { Daemon } from '../support/daemon.ts'
import { ssha } from '../support/password.ts'
import { postfixNeedsRoot, startPostfix, type Postfix } from '../support/postfix.ts'
import { makeScratch } from '../support/scratch.ts'
import { ScriptedSmtp, type Deed } from '../support/scripted-smtp.ts'
import { eventually, missing } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'

const PASSWORD = 'canary-demo'
const CYCLES = cycles(15)
const SESSIONS = 8

// Never reached, but counted: a message is put in the commit that counts it, as it is wherever a login has limits.
const LIMITS = `  per_login:
    messages_per_hour: 1000000
    messages_per_day: 1000000
    recipients_per_hour: 1000000
    recipients_per_day: 1000000
    new_recipients_per_day: 1000000`

/** A relay whose next hop is this. */
async function relayTo(folder: string, host: string, port: number): Promise<Site> {
  const site = await Site.create(folder)
  const passwords = join(folder, 'passwords')
  await writeFile(passwords, `alice:${ssha(PASSWORD)}\n`)
  await site.configure({
    directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
    delivery: `  smarthost: {host: ${host}, port: ${port}, tls: none}\n  retry: [1s]`,
    limits: LIMITS,
  })
  await site.start()
  return site
}

function mailer(site: Site) {
  return createTransport({
    host: '127.0.0.1',
    port: site.ports.submissions,
    secure: true,
    pool: true,
    maxConnections: 1,
    maxMessages: Infinity,
    auth: { user: 'alice', pass: PASSWORD },
    tls: { ca: site.certificates.caPem, servername: RELAY_NAME },
  })
}

/** What the clients were told: subjects of messages that were answered with 250. */
interface Ledger {
  readonly deliverable: Set<string>
  /** Those that the next hop refuses: their sender is owed a report. */
  readonly refused: Set<string>
}

describe.skipIf(missing('postfix') ?? postfixNeedsRoot())('kill -9 of the relay under load', () => {
  let folder: string
  let site: Site
  let keeper: Postfix

  beforeAll(async () => {
    folder = await makeScratch()
    keeper = await startPostfix(await makeScratch(), {
      domains: ['example.net', 'example.org'],
      settings: {
        smtpd_recipient_restrictions:
          'check_recipient_access inline:{ { refused@example.net = 550 5.1.1 No such user } }, permit_mynetworks, reject',
      },
    })
    site = await relayTo(folder, keeper.address, keeper.port)
  })

  afterAll(async () => {
    await site.stop()
    await keeper.stop()
    await rm(folder, { recursive: true, force: true })
  })

  /** Sends until told to stop; every fourth message is for somebody who does not exist. */
  async function send(session: number, ledger: Ledger, over: AbortSignal): Promise<void> {
    const transport = mailer(site)
    for (let n = 0; !over.aborted; n++) {
      const subject = `ledger-${session}-${n}-${crypto.randomUUID()}`
      const refused = n % 4 === 3
      const sent = await transport
        .sendMail({
          from: 'alice@example.org',
          to: refused ? 'refused@example.net' : 'bob@example.net',
          subject,
          // Some are large enough for files of their own.
          text: 'x'.repeat(n % 10 === 2 ? 150_000 : 2_000),
        })
        .then(
          () => true,
          () => false,
        )
      if (sent) (refused ? ledger.refused : ledger.deliverable).add(subject)
    }
    transport.close()
  }

  /** Subjects of all mail that has arrived, again and again where it is there twice; of a report, what it is about. */
  async function arrived(): Promise<{ mail: string[]; reports: string[] }> {
    const mail: string[] = []
    const reports: string[] = []
    for (const raw of await keeper.messages()) {
      const text = String(raw)
      const report = /^Content-Type: multipart\/report/m.test(text)
      const subject = /^Subject: (ledger-.*)$/m.exec(text)?.[1]
      if (subject !== undefined) (report ? reports : mail).push(subject)
    }
    return { mail, reports }
  }

  test(
    `${CYCLES} times: every message answered with 250 is delivered, or its sender told`,
    async () => {
      const ledger: Ledger = { deliverable: new Set(), refused: new Set() }
      const size = (): number => ledger.deliverable.size + ledger.refused.size
      for (let cycle = 0; cycle < CYCLES; cycle++) {
        const over = new AbortController()
        const load = Promise.all(
          Array.from({ length: SESSIONS }, (_, session) => send(session, ledger, over.signal)),
        )
        // Enough accepted that the kill hits a busy relay, and a different moment each time.
        const enough = size() + 15 + Math.floor(Math.random() * 40)
        await eventually(() => size() >= enough, `${enough} messages accepted`)
        site.daemon?.signal('SIGKILL')
        const end = await site.daemon?.ended
        over.abort()
        await load
        expect(end?.signal).toBe('SIGKILL')
        await site.start()
      }
      expect(size()).toBeGreaterThan(CYCLES * 15)
      expect(ledger.refused.size).toBeGreaterThan(0)
      await eventually(
        async () => (await site.metric('mailcanary_relay_queue_messages')) === 0,
        'an empty queue',
        120_000,
      )
      await eventually(
        async () => (await readdir(join(site.state, 'queue.bodies'))).length === 0,
        'that no content is left',
      )
      const seen = await eventually(async () => {
        // Postfix has answered before its mail is in the folder.
        const found = await arrived()
        return (await keeper.queued()) === 0 ? found : undefined
      }, 'an empty queue of the next hop')
      expect([...ledger.deliverable].filter(subject => !seen.mail.includes(subject))).toEqual([])
      expect([...ledger.refused].filter(subject => !seen.reports.includes(subject))).toEqual([])
      // At least once; and twice only what was under way when a process died, at most fifty deliveries each time.
      for (const all of [seen.mail, seen.reports]) {
        expect(all.length - new Set(all).size).toBeLessThanOrEqual(CYCLES * 50)
      }
      // What nobody was promised may be there, but never what was refused.
      expect(seen.mail.filter(subject => ledger.refused.has(subject))).toEqual([])
    },
    CYCLES * 20_000,
  )
})

describe('the second copy of a message', () => {
  const deeds: { DOT: Deed } = { DOT: { stall: true } }

  async function rig(): Promise<{ site: Site; next: ScriptedSmtp }> {
    const folder = await makeScratch()
    const next = await ScriptedSmtp.start({ deeds })
    const site = await relayTo(folder, '127.0.0.1', next.port)
    onTestFinished(async () => {
      await site.stop()
      await next.stop()
      await rm(folder, { recursive: true, force: true })
    })
    return { site, next }
  }

  async function submit(site: Site): Promise<string> {
    const transport = mailer(site)
    const mail = { from: 'alice@example.org', to: 'bob@example.net', text: 'hello' }
    const { response } = await transport.sendMail(mail)
    transport.close()
    return /queued as (\S+)/.exec(response)?.[1] ?? ''
  }

  const duplicates = 'mailcanary_relay_possible_duplicates_total'

  test('is counted where the process died before the result was stored', async () => {
    deeds.DOT = { stall: true }
    const { site, next } = await rig()
    await submit(site)
    await eventually(() => next.messages.length === 1, 'the first copy')
    expect(await site.metric(duplicates)).toBe(0)
    site.daemon?.signal('SIGKILL')
    await site.daemon?.ended
    deeds.DOT = '250 2.0.0 Queued'
    await site.start()
    await eventually(() => next.messages.length === 2, 'the second copy')
    await eventually(async () => (await site.metric(duplicates)) === 1, 'the count')
  })

  test('is counted where the connection was lost after the final dot, and only there', async () => {
    deeds.DOT = { reset: true }
    const { site, next } = await rig()
    const id = await submit(site)
    await eventually(
      async () => (await site.metric('mailcanary_relay_attempts_total', 'deferred')) === 1,
      'the attempt that was cut off',
    )
    deeds.DOT = '250 2.0.0 Queued'
    const { code } = await Daemon.run(['queue', 'retry', id, '--state', site.state])
    expect(code).toBe(0)
    await eventually(async () => (await site.metric(duplicates)) === 1, 'the count')
    await submit(site)
    await eventually(() => next.messages.length === 3, 'another message')
    expect(await site.metric(duplicates)).toBe(1)
  })
})
