import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { ssha } from '../support/password.ts'
import { postfixNeedsRoot, startPostfix, type Postfix } from '../support/postfix.ts'
import { makeScratch } from '../support/scratch.ts'
import { eventually, missing } from '../support/server-process.ts'
import { RELAY_NAME, Site } from '../support/site.ts'

const skip = missing('postfix') ?? postfixNeedsRoot()

const PASSWORD = 'canary-demo'
const CYCLES = 3
const SESSIONS = 8

describe.skipIf(skip)('kill -9 of the relay under load', () => {
  let folder: string
  let site: Site
  let keeper: Postfix

  beforeAll(async () => {
    folder = await makeScratch()
    site = await Site.create(folder)
    keeper = await startPostfix(await makeScratch(), { domains: ['example.net'] })
    const passwords = join(folder, 'passwords')
    await writeFile(passwords, `alice:${ssha(PASSWORD)}\n`)
    await site.configure({
      directory: `  domains: [example.org]\n  export_file: {path: ${passwords}}`,
      delivery: `  smarthost: {host: ${keeper.address}, port: ${keeper.port}, tls: none}\n  retry: [1s]`,
    })
    await site.start()
  })

  afterAll(async () => {
    await site.stop()
    await keeper.stop()
    await rm(folder, { recursive: true, force: true })
  })

  /** Sends until told to stop; what was answered with 250 is in the ledger. */
  async function send(session: number, ledger: string[], over: AbortSignal): Promise<void> {
    const transport = createTransport({
      host: '127.0.0.1',
      port: site.ports.submissions,
      secure: true,
      pool: true,
      maxConnections: 1,
      maxMessages: Infinity,
      auth: { user: 'alice', pass: PASSWORD },
      tls: { ca: site.certificates.caPem, servername: RELAY_NAME },
    })
    for (let n = 0; !over.aborted; n++) {
      const subject = `ledger-${ledger.length}-${session}-${n}-${Date.now()}`
      const sent = await transport
        .sendMail({
          from: 'alice@example.org',
          to: 'bob@example.net',
          subject,
          text: 'x'.repeat(2_000),
        })
        .then(
          () => true,
          () => false,
        )
      if (sent) ledger.push(subject)
    }
    transport.close()
  }

  test('not one accepted message is lost', async () => {
    const ledger: string[] = []
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const over = new AbortController()
      const before = ledger.length
      const load = Promise.all(
        Array.from({ length: SESSIONS }, (_, session) => send(session, ledger, over.signal)),
      )
      // Enough accepted that the kill hits a busy relay, and a different moment each time.
      const enough = before + 40 + Math.floor(Math.random() * 60)
      await eventually(
        () => (ledger.length >= enough ? true : undefined),
        `${enough} messages accepted`,
      )
      site.daemon?.signal('SIGKILL')
      const end = await site.daemon?.ended
      over.abort()
      await load
      expect(end?.signal).toBe('SIGKILL')
      await site.start()
    }
    expect(ledger.length).toBeGreaterThan(CYCLES * 40)
    const seen = await eventually(
      async () => {
        const subjects = (await keeper.messages()).map(
          raw => /^Subject: (.*)$/m.exec(String(raw))?.[1] ?? '',
        )
        const delivered = new Set(subjects)
        return ledger.every(subject => delivered.has(subject)) ? subjects : undefined
      },
      'every accepted message at the next hop',
      40_000,
    )
    // At least once, and twice only what was under way when the process died.
    const twice = seen.length - new Set(seen).size
    expect(twice).toBeLessThanOrEqual(CYCLES * 50)
    expect(await site.metric('mailcanary_relay_queue_messages')).toBe(0)
  })
})
